"""Where the links in letters lead: plain forms without scripts.

A link only shows a form, which does it: programs that look at letters follow
links, and must not use them up. Source: ``spec/astakos.md`` §5.1, §5.2, §5.9.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.context import PATH, PageContext
from api.ui.paper import Field, Link, plain
from snfd.accounts.wired import Accounts
from snfd.errors import CloudError, Conflict, Forbidden, Invalid, NotFound

Key = Annotated[str, Meta(max_length=128)]
SIGN_IN = Link(PATH, "Sign in")
REFUSED = (NotFound, Forbidden, Conflict, Invalid)
"""What a form tells in its own words."""

ENDS = (
    "All sessions, tokens and application credentials of the account end with the"
    " old one."
)
ENDED = (
    "All sessions, tokens and application credentials of the account have ended."
    " Look at its other ways to log in, and at its one-time codes: these are as they"
    " were."
)


class Carried(Struct):
    """What a link carries."""

    auth: Key = ""
    key: Key = ""


def told(title: str, error: CloudError, *links: Link) -> Answer[bytes]:
    """A page that says why it did not work."""
    known = {NotFound: 404, Forbidden: 403, Conflict: 409}
    status = next((known[one] for one in known if isinstance(error, one)), 400)
    return plain(title, status=status, problem=error.message, links=[*links, SIGN_IN])


class ActivatePage:
    """``/ui/activate``: the link of a letter of verification."""

    def __init__(self, context: PageContext, accounts: Accounts) -> None:
        self._context = context
        self._signup = accounts.signup

    @operation("GET", "", auth=False, raw=True, query=Carried)
    async def show(self, request: IRequest, query: Carried) -> Answer[bytes]:
        """Ask whether to confirm the address; without a code, where to send one."""
        if not query.auth:
            return self._resend(request)
        return self._context.forms.answer(
            request,
            "Confirm your e-mail address",
            hidden={"auth": query.auth},
            button="Confirm",
        )

    @operation("POST", "", auth=False, raw=True)
    async def take(self, request: IRequest) -> Answer[bytes]:
        """Confirm it, or send another letter."""
        given = self._context.forms.read(request)
        try:
            if "auth" not in given:
                await self._signup.resend(given.get("email", ""))
                return plain(
                    "Look into your mail",
                    text="If an account with that address waits to be confirmed,"
                    " another letter is on its way.",
                )
            active = await self._signup.verify(given["auth"][:128])
        except REFUSED as error:
            again = Link("/ui/activate", "Have another letter sent")
            return told("Not confirmed", error, again)
        if active:
            return plain("Your account is ready", links=[SIGN_IN])
        return plain(
            "Your address is confirmed",
            text="Somebody will look at your account now; a letter will tell you.",
        )

    def _resend(self, request: IRequest) -> Answer[bytes]:
        return self._context.forms.answer(
            request,
            "Have another letter sent",
            fields=[Field("email", "E-mail", "email", complete="email")],
            button="Send",
        )


class ResetPage:
    """``/ui/password_reset``: asking for a new password, and the letter's link."""

    def __init__(self, context: PageContext, accounts: Accounts) -> None:
        self._context = context
        self._credentials = accounts.credentials

    @operation("GET", "", auth=False, raw=True, query=Carried)
    async def show(self, request: IRequest, query: Carried) -> Answer[bytes]:
        """Ask for the new password; without a key, for the address."""
        if not query.key:
            return self._context.forms.answer(
                request,
                "Forgot your password?",
                fields=[Field("email", "E-mail", "email", complete="email")],
                button="Send a letter",
            )
        return self._form(request, query.key)

    @operation("POST", "", auth=False, raw=True)
    async def take(self, request: IRequest) -> Answer[bytes]:
        """Set the new password, or send a letter."""
        given = self._context.forms.read(request)
        key, password = given.get("key", "")[:128], given.get("password", "")
        try:
            if not key:
                await self._credentials.ask_reset(given.get("email", ""))
                return plain(
                    "Look into your mail",
                    text="If there is an account with that address, a letter with a"
                    " link to a new password is on its way.",
                )
            if password != given.get("again", ""):
                return self._form(request, key, "The two passwords differ.")
            await self._credentials.reset(key, password)
        except Invalid as error:
            return self._form(request, key, error.message) if key else self._bad(error)
        except NotFound as error:
            return self._bad(error)
        return plain("You have a new password", text=ENDED, links=[SIGN_IN])

    def _bad(self, error: CloudError) -> Answer[bytes]:
        again = Link("/ui/password_reset", "Have another letter sent")
        return told("No new password", error, again)

    def _form(self, request: IRequest, key: str, problem: str = "") -> Answer[bytes]:
        fields = [
            Field("password", "New password", "password", complete="new-password"),
            Field("again", "Once more", "password", complete="new-password"),
        ]
        return self._context.forms.answer(
            request,
            "A new password",
            text=ENDS,
            status=400 if problem else 200,
            problem=problem,
            fields=fields,
            hidden={"key": key},
            button="Set it",
        )


class AddressPage:
    """``/ui/email_change``: the link of a letter to a new address."""

    def __init__(self, context: PageContext, accounts: Accounts) -> None:
        self._context = context
        self._emails = accounts.emails

    @operation("GET", "", auth=False, raw=True, query=Carried)
    async def show(self, request: IRequest, query: Carried) -> Answer[bytes]:
        """Ask whether to take the new address."""
        if not query.key:
            error = Invalid("this address lacks its key: open the link in the letter")
            return told("Your address stays as it was", error)
        return self._context.forms.answer(
            request,
            "Your new e-mail address",
            hidden={"key": query.key},
            button="Use it from now on",
        )

    @operation("POST", "", auth=False, raw=True)
    async def take(self, request: IRequest) -> Answer[bytes]:
        """Take it."""
        key = self._context.forms.read(request).get("key", "")[:128]
        try:
            caller = await self._context.caller(request)
            email = await self._emails.confirm(key, caller)
        except REFUSED as error:
            return told("Your address stays as it was", error)
        return plain("Your address is changed", text=f"It is {email} now.")
