"""Opening an account: the form, another letter, the letter's link.

Source: ``spec/astakos.md`` §5.1, W25 and W44: answers never tell which
accounts there are.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.doors import OPEN, Door
from api.operations import Reply, operation
from snfd.accounts.signup import Form, SignUp
from snfd.accounts.states import State
from snfd.identity.names import MAX_NAME, MAX_PASSWORD

Address = Annotated[str, Meta(max_length=MAX_NAME)]
Secret = Annotated[str, Meta(max_length=MAX_PASSWORD)]
Key = Annotated[str, Meta(max_length=128)]
Short = Annotated[str, Meta(max_length=255)]
TermsId = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class SignUpForm(Struct):
    """Body of ``POST /signup``; ``terms`` is the id of the newest, if any are."""

    email: Address
    password: Secret
    first_name: Short
    last_name: Short
    affiliation: Short | None = None
    terms: TermsId | None = None

    def __repr__(self) -> str:
        return f"SignUpForm(email={self.email!r}, password=…)"

    def form(self) -> Form:
        """What the service takes."""
        return Form(
            self.email,
            self.password,
            self.first_name,
            self.last_name,
            self.affiliation,
            self.terms,
        )


class Code(Struct):
    """Body of ``POST /signup/verify``: what the link carries as ``auth``."""

    auth: Key

    def __repr__(self) -> str:
        return "Code(auth=…)"


class WhoseAddress(Struct):
    """Body that names an account by its address."""

    email: Address


class Standing(Reply):
    """How an account stands now."""

    state: str


class SignUpApi:
    """The ``/signup`` resources."""

    def __init__(self, signup: SignUp, door: Door = OPEN) -> None:
        self._signup = signup
        self._door = door

    @operation("POST", "/signup", body=SignUpForm, auth=False, status=202, raw=True)
    async def sign_up(self, request: IRequest, body: SignUpForm) -> None:
        """Ask for an account; a letter says how it goes on."""
        address = await self._door.admit(request)
        await self._signup.sign_up(body.form(), address)

    @operation("POST", "/signup/verify", body=Code, auth=False)
    async def verify(self, body: Code) -> Standing:
        """Prove that one reads the letters of an address."""
        active = await self._signup.verify(body.auth)
        return Standing((State.ACTIVE if active else State.PENDING).value)

    @operation(
        "POST", "/signup/resend", body=WhoseAddress, auth=False, status=202, raw=True
    )
    async def resend(self, request: IRequest, body: WhoseAddress) -> None:
        """Ask for another letter; only its link works then."""
        await self._door.admit(request)
        await self._signup.resend(body.email)
