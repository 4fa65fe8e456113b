"""Passwords: a new one for an old one, or by letter.

Source: ``spec/astakos.md`` §5.2, W25.
"""

from __future__ import annotations

from msgspec import Struct
from twisted.web.iweb import IRequest

from api.doors import OPEN, Door
from api.operations import operation
from api.synnefo.account.signup import Key, Secret, WhoseAddress
from snfd.accounts.credentials import Credentials
from snfd.identity.model import Caller


class PasswordChange(Struct):
    """Body of ``POST /password``; ``old`` is null for who has none.

    ``end_credentials`` ends application credentials, too.
    """

    new: Secret
    old: Secret | None = None
    end_credentials: bool = False

    def __repr__(self) -> str:
        return "PasswordChange(…)"


class PasswordReset(Struct):
    """Body of ``POST /password/reset/confirm``; ``key`` is that of the link."""

    key: Key
    password: Secret

    def __repr__(self) -> str:
        return "PasswordReset(…)"


class PasswordsApi:
    """The ``/password`` resources."""

    def __init__(self, credentials: Credentials, door: Door = OPEN) -> None:
        self._credentials = credentials
        self._door = door

    @operation("POST", "/password", body=PasswordChange, status=204)
    async def change(self, caller: Caller, body: PasswordChange) -> None:
        """Change the caller's password; other sessions and tokens end."""
        programs = body.end_credentials
        await self._credentials.change(caller, body.old, body.new, programs=programs)

    @operation(
        "POST", "/password/reset", body=WhoseAddress, auth=False, status=202, raw=True
    )
    async def ask(self, request: IRequest, body: WhoseAddress) -> None:
        """Ask for a letter with a link to a new password."""
        address = await self._door.admit(request)
        await self._credentials.ask_reset(body.email, address)

    @operation(
        "POST",
        "/password/reset/confirm",
        body=PasswordReset,
        auth=False,
        status=204,
        raw=True,
    )
    async def reset(self, request: IRequest, body: PasswordReset) -> None:
        """Set a new password with the link's key; all that logged in ends."""
        await self._door.admit(request)
        await self._credentials.reset(body.key, body.password)
