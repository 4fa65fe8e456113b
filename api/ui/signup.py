"""``/ui/signup``: opening an account with a password.

Answers never tell which accounts there are. Source: ``spec/astakos.md`` §5.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.agreement import agreed, agreement
from api.ui.context import HOME, PageContext
from api.ui.letters import SIGN_IN
from api.ui.paper import Field, going, plain
from snfd.accounts.signup import Form
from snfd.accounts.wired import Accounts
from snfd.errors import CloudError, Forbidden, Invalid

NAMES = {"first_name": "First name", "last_name": "Last name"}


class SignUpPage:
    """The form of a new account."""

    def __init__(self, context: PageContext, accounts: Accounts) -> None:
        self._context = context
        self._signup = accounts.signup
        self._terms = accounts.terms

    @operation("GET", "", auth=False, raw=True)
    async def show(self, request: IRequest) -> Answer[bytes]:
        """Ask who it is for."""
        if await self._context.caller(request) is not None:
            return going(HOME)
        if not self._signup.open:
            words = "People cannot open accounts with a password here."
            return plain("No new accounts", status=403, text=words, links=[SIGN_IN])
        return await self._form(request, {})

    @operation("POST", "", auth=False, raw=True)
    async def take(self, request: IRequest) -> Answer[bytes]:
        """Take the form; a letter says how it goes on."""
        address = await self._context.door.admit(request)
        given = self._context.forms.read(request)
        if given.get("password", "") != given.get("again", ""):
            return await self._form(request, given, Invalid("The two passwords differ"))
        form = Form(
            given.get("email", ""),
            given.get("password", ""),
            given.get("first_name", ""),
            given.get("last_name", ""),
            terms=agreed(given),
        )
        try:
            await self._signup.sign_up(form, address)
        except (Invalid, Forbidden) as error:
            return await self._form(request, given, error)
        return plain(
            "Look into your mail",
            text="A letter is on its way to the address that you gave."
            " Your account can be used once you opened the link in it.",
            links=[SIGN_IN],
        )

    async def _form(
        self,
        request: IRequest,
        given: Mapping[str, str],
        error: CloudError | None = None,
    ) -> Answer[bytes]:
        """The form with what was written, but for the passwords."""
        terms = await agreement(self._terms)
        email = given.get("email", "")
        fields = [
            Field("email", "E-mail", "email", email, complete="email"),
            *(
                Field(name, label, value=given.get(name, ""), needed=False)
                for name, label in NAMES.items()
            ),
            Field("password", "Password", "password", complete="new-password"),
            Field("again", "Password once more", "password", complete="new-password"),
            *terms.fields,
        ]
        return self._context.forms.answer(
            request,
            f"A new account with {self._context.service}",
            status=403 if isinstance(error, Forbidden) else 400 if error else 200,
            problem="" if error is None else error.message,
            fields=fields,
            hidden=terms.hidden,
            button="Open the account",
            links=[*terms.links, SIGN_IN],
        )
