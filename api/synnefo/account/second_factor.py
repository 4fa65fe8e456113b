"""One-time codes that an account asks for besides its password.

Below ``/account/v1.0``; new, see ``docs/decisions/identity.rst``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.addresses import Peers
from api.operations import Reply, operation
from snfd.identity.model import Caller
from snfd.identity.names import MAX_PASSWORD
from snfd.identity.proof import MAX_PASSCODE
from snfd.identity.second_factor import Enrolment, FactorState, SecondFactors


class Enrol(Struct):
    """Body of ``POST /second_factor``: one's own password.

    It is null for who has none, and logged in just now.
    """

    password: Annotated[str, Meta(max_length=MAX_PASSWORD)] | None = None

    def __repr__(self) -> str:
        return "Enrol(password=…)"


class Code(Struct):
    """A code that the app shows; to disable, a recovery code will do."""

    code: Annotated[str, Meta(max_length=MAX_PASSCODE)]

    def __repr__(self) -> str:
        return "Code(code=…)"


class StateReply(Reply):
    """Whether codes are asked for, and how many recovery codes are left."""

    enabled: bool
    recovery_codes: int

    @classmethod
    def of(cls, state: FactorState) -> StateReply:
        """As it is."""
        return cls(state.enabled, state.recovery_codes)


class EnrolmentReply(Reply):
    """A seed for an app: to type, and as what a QR code says."""

    secret: str
    uri: str

    @classmethod
    def of(cls, made: Enrolment) -> EnrolmentReply:
        """A new one."""
        return cls(made.secret, made.uri)


class RecoveryCodes(Reply):
    """What opens the account without the app; each works once."""

    recovery_codes: list[str]


class SecondFactorApi:
    """The caller's second factor."""

    def __init__(self, factors: SecondFactors, peers: Peers) -> None:
        self._factors = factors
        self._peers = peers

    @operation("GET", "/second_factor")
    async def state(self, caller: Caller) -> StateReply:
        """Tell whether codes are asked for."""
        return StateReply.of(await self._factors.state(caller.user))

    @operation("POST", "/second_factor", body=Enrol, status=201, raw=True)
    async def enrol(
        self, caller: Caller, body: Enrol, request: IRequest
    ) -> EnrolmentReply:
        """Start to set codes up; confirm with the first one."""
        address = self._peers.address(request)
        made = await self._factors.enrol(caller, body.password, address)
        return EnrolmentReply.of(made)

    @operation("POST", "/second_factor/confirm", body=Code, raw=True)
    async def confirm(
        self, caller: Caller, body: Code, request: IRequest
    ) -> RecoveryCodes:
        """Ask for codes from now on."""
        address = self._peers.address(request)
        codes = await self._factors.confirm(caller, body.code, address)
        return RecoveryCodes(list(codes))

    @operation("POST", "/second_factor/disable", body=Code, status=204, raw=True)
    async def disable(self, caller: Caller, body: Code, request: IRequest) -> None:
        """Ask for codes no more."""
        address = self._peers.address(request)
        await self._factors.disable(caller, body.code, address)
