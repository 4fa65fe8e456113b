"""Changing one's address.

Source: ``spec/astakos.md`` §5.2.
"""

from __future__ import annotations

from msgspec import Struct
from twisted.web.iweb import IRequest

from api.dispatch import Authenticator, token_of
from api.doors import OPEN, Door
from api.operations import OWN, Reply, operation
from api.synnefo.account.signup import Address, Key, Secret
from snfd.accounts.emails import Emails
from snfd.errors import Unauthorized
from snfd.identity.model import Caller


class AddressChange(Struct):
    """Body of ``POST /email``; ``password`` is null for who has none."""

    email: Address
    password: Secret | None = None

    def __repr__(self) -> str:
        return f"AddressChange(email={self.email!r}, password=…)"


class AddressKey(Struct):
    """Body of ``POST /email/confirm``: what the link carries as ``key``."""

    key: Key

    def __repr__(self) -> str:
        return "AddressKey(…)"


class NewAddress(Reply):
    """The address that an account has now."""

    email: str


class EmailsApi:
    """The ``/email`` resources.

    :param authenticator: says who confirms, if somebody is logged in.
    """

    def __init__(
        self, emails: Emails, authenticator: Authenticator, door: Door = OPEN
    ) -> None:
        self._emails = emails
        self._door = door
        self._authenticator = authenticator

    @operation("POST", "/email", body=AddressChange, status=202, raw=True)
    async def ask(self, caller: Caller, request: IRequest, body: AddressChange) -> None:
        """Ask for a letter to a new address, with a link that proves it."""
        await self._door.admit(request)
        await self._emails.ask(caller, body.email, body.password)

    @operation("POST", "/email/confirm", body=AddressKey, auth=OWN, raw=True)
    async def confirm(self, request: IRequest, body: AddressKey) -> NewAddress:
        """Take the new address; logged in as its owner, or not at all."""
        caller = await self._caller(request)
        return NewAddress(await self._emails.confirm(body.key, caller))

    async def _caller(self, request: IRequest) -> Caller | None:
        """Who is logged in; nobody where a session or token has ended."""
        try:
            return await self._authenticator(token_of(request))
        except Unauthorized:
            return None
