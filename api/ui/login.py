"""The login page, and the way out: ``/ui/login``, ``/ui/logout``.

Plain forms without scripts. Source: ``spec/astakos.md`` §5.6, §5.9.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.context import HOME, PATH, PageContext
from api.ui.paper import Field, Link, going
from api.ui.required import sent_to_add
from snfd.errors import Invalid, TooManyRequests, Unauthorized
from snfd.logins.model import LOCAL
from snfd.logins.redirects import MAX_URL, plus_query
from snfd.logins.required import Lacking

STYLE = Path(__file__).with_name("login.css").read_bytes()

Address = Annotated[str, Meta(max_length=MAX_URL)]


FORGOT = (Link("/ui/password_reset", "Forgot your password?"),)
SIGN_UP = (Link("/ui/signup", "Open an account"),)


class Going(Struct):
    """Where a page leads."""

    next: Address = ""


def password_fields(name: str = "") -> list[Field]:
    """The lines of a form that asks for a password."""
    return [
        Field("username", "Username or e-mail", value=name, complete="username"),
        Field("password", "Password", "password", complete="current-password"),
        Field(
            "totp",
            "One-time code, if you use them",
            complete="one-time-code",
            needed=False,
        ),
    ]


class LoginPages:
    """The page of our own passwords, with the ways to all other methods."""

    def __init__(self, context: PageContext, *, signup: bool = False) -> None:
        self._context = context
        self._links = [*FORGOT, *(SIGN_UP if signup else ())]

    @operation("GET", "", auth=False, raw=True, query=Going)
    async def show(self, request: IRequest, query: Going) -> Answer[bytes]:
        """Ask for name and password."""
        if await self._context.caller(request) is not None:
            return going(self._context.redirects.or_else(query.next, HOME))
        return self._form(request, query.next)

    @operation("POST", "", auth=False, raw=True)
    async def take(self, request: IRequest) -> Answer[bytes]:
        """Log in by name and password."""
        given = self._context.forms.read(request)
        next_ = given.get("next", "")
        name = given.get("username", "")[:255]
        try:
            session = await self._context.weblogin.sessions.enter(
                name,
                given.get("password", ""),
                code=given.get("totp", "").strip(),
                address=self._context.address(request),
            )
        except (Unauthorized, TooManyRequests, Invalid) as error:
            return self._form(request, next_, name, error)
        if isinstance(session, Lacking):
            return sent_to_add(self._context, request, session, next_)
        return self._context.let_in(request, session, next_)

    @operation("GET", "/style.css", auth=False, raw=True)
    async def style(self, request: IRequest) -> Answer[bytes]:
        """The style of all plain pages."""
        headers = {
            "Content-Type": "text/css; charset=utf-8",
            "Cache-Control": "max-age=3600",
        }
        return Answer(STYLE, headers=headers)

    def _form(
        self,
        request: IRequest,
        next_: str,
        name: str = "",
        error: Unauthorized | TooManyRequests | Invalid | None = None,
    ) -> Answer[bytes]:
        status = {Unauthorized: 401, TooManyRequests: 429, Invalid: 400}
        passwords = self._context.weblogin.sessions.by_password
        return self._context.forms.answer(
            request,
            f"Sign in to {self._context.service}",
            status=200 if error is None else status.get(type(error), 400),
            problem="" if error is None else error.message,
            fields=password_fields(name) if passwords else (),
            hidden={"next": next_},
            button="Sign in" if passwords else "",
            links=[*(self._links if passwords else ()), *self._others(next_)],
        )

    def _others(self, next_: str) -> list[Link]:
        return [
            Link(
                plus_query(f"{PATH}/{name}", **({"next": next_} if next_ else {})),
                f"Sign in with {way.method.title}",
            )
            for name, way in self._context.weblogin.logins.ways.items()
            if name != LOCAL and way.method.policies.login
        ]


class LogoutPage:
    """The way out."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    @operation("GET", "", auth=False, raw=True, query=Going)
    async def leave(self, request: IRequest, query: Going) -> Answer[bytes]:
        """End the session and go on; whoever was sent by another site is asked."""
        if not self._context.in_person(request):
            caller = await self._context.caller(request)
            if caller is not None:
                return self._context.forms.answer(
                    request,
                    "Sign out?",
                    text=f"You are signed in as {caller.username}.",
                    button="Sign out",
                    links=[Link(HOME, "Stay")],
                )
        return await self._left(request, query)

    @operation("POST", "", auth=False, raw=True, query=Going)
    async def left(self, request: IRequest, query: Going) -> Answer[bytes]:
        """End the session and go on."""
        self._context.forms.read(request)
        return await self._left(request, query)

    async def _left(self, request: IRequest, query: Going) -> Answer[bytes]:
        await self._context.log_out(request)
        return going(self._context.redirects.or_else(query.next, PATH))
