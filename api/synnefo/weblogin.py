"""Hands a token to a program on somebody's machine, by way of his browser.

Source: ``spec/astakos.md`` §2.8.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from attrs import evolve
from msgspec import Struct
from twisted.web.iweb import IRequest

from api.dispatch import Served, build
from api.operations import Answer, operation
from api.synnefo.faults import DIALECT
from api.ui.context import TERMS, PageContext
from api.ui.paper import HEADERS, Link
from snfd.errors import Forbidden, Invalid
from snfd.logins.redirects import plus_query, with_query

HERE = "/weblogin/login"


class Wish(Struct):
    """What the program wants.

    ``renew`` asks for a fresh token, which it gets anyway; ``force`` for another
    login; ``state`` comes back as it was given. A
    request's first line bounds them all.
    """

    next: str = ""
    renew: str | None = None
    force: str | None = None
    state: str | None = None

    @property
    def again(self) -> str:
        """The address to come back to, once somebody has logged in."""
        more = {} if self.renew is None else {"renew": self.renew}
        if self.state is not None:
            more["state"] = self.state
        return plus_query(HERE, next=self.next, **more)


class WebloginApi:
    """``/weblogin/login``."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    @operation(
        "GET", "/login", auth=False, raw=True, query=Wish, status=302, head=False
    )
    async def login(self, request: IRequest, query: Wish) -> Answer[bytes]:
        """Send the browser back to the program with a token, made for it alone."""
        self._check(query)
        if query.force is not None:
            return await self._forced(request, query)
        if (to := await self._handed(request, query)) is not None:
            return _going(to)
        if await self._context.must_sign(request):
            return _going(plus_query(TERMS, next=query.again))
        return _going(self._context.login_url(query.again))

    @operation("POST", "/login", auth=False, raw=True, query=Wish, status=302)
    async def again(self, request: IRequest, query: Wish) -> Answer[bytes]:
        """End the session, as our page asked, and have somebody log in again."""
        self._check(query)
        self._context.forms.read(request)
        await self._context.log_out(request)
        return _going(self._context.login_url(query.again))

    def _check(self, wish: Wish) -> None:
        if not wish.next:
            raise Invalid("next says where the token goes, and is missing")
        if not self._context.redirects.listed(wish.next):
            raise Forbidden("tokens are not handed to that address")

    async def _forced(self, request: IRequest, wish: Wish) -> Answer[bytes]:
        """Have somebody log in again; asked first where another site sent him."""
        context = self._context
        caller = await context.caller(request)
        if caller is None or context.in_person(request):
            await context.log_out(request)
            return _going(context.login_url(wish.again))
        asked = context.forms.answer(
            request,
            "Sign in again?",
            text=f"A program wants you to. You are signed in as {caller.username}.",
            button="Sign out, and in again",
            links=[Link(wish.again, f"Go on as {caller.username}")],
        )
        return evolve(asked, headers={**HEADERS, **asked.headers})

    async def _handed(self, request: IRequest, wish: Wish) -> str | None:
        """The program's address with a token; None where nobody is logged in."""
        caller = await self._context.caller(request)
        if caller is None:
            return None
        label = f"weblogin {urlsplit(wish.next).scheme}"
        issued = await self._context.weblogin.sessions.hand_off(caller, label)
        state = {} if wish.state is None else {"state": wish.state}
        return with_query(
            wish.next, uuid=str(caller.user), token=issued.secret, **state
        )


def resource(context: PageContext) -> Served:
    """Everything below ``/weblogin``."""
    return build(DIALECT, context.authenticator, WebloginApi(context))


def _going(url: str) -> Answer[bytes]:
    headers = {**HEADERS, "Location": url, "Content-Type": "application/octet-stream"}
    return Answer(b"", headers=headers)
