"""Logging in by others' word: ``/ui/login/<method>``.

Source: ``spec/astakos.md`` §5.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta
from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.context import PATH, PROFILE, PageContext
from api.ui.login import Going, password_fields
from api.ui.paper import Link, going, plain
from api.ui.required import LACKING, carried, lacking_of, sent_to_add
from snfd.errors import Invalid, NotAllowed, TooManyRequests, Unauthorized
from snfd.identity.model import Caller
from snfd.logins.model import Arrival, Claims, Method, Newcomer, Outcome, complete
from snfd.logins.port import Departure, Form, Local
from snfd.logins.redirects import plus_query
from snfd.logins.required import Lacking

Name = Annotated[str, Meta(max_length=32)]
JOURNEY = "journey"
NEWCOMER = "newcomer"


class MethodPages:
    """Every login method but our own passwords."""

    def __init__(self, context: PageContext) -> None:
        self._context = context
        self._logins = context.weblogin.logins

    @operation("GET", "/<name>", auth=False, raw=True, query=Going)
    async def begin(self, request: IRequest, name: Name, query: Going) -> Answer[bytes]:
        """Begin: a form, the way to somebody's page, or what headers say."""
        way: Any = self._logins.way(name)
        if isinstance(way, Local):
            return going(plus_query(PATH, next=query.next))
        if hasattr(way, "check"):
            return self._form(request, way, query.next)
        by = await self._context.deliberate(request) or lacking_of(
            self._context, request, name
        )
        if hasattr(way, "leave"):
            return await self._sent(request, way, by, query.next)
        values = _header(request)
        claims = way.read(values, _peer(request))
        return await self._arrived(request, way.method, claims, by, query.next)

    @operation("POST", "/<name>", auth=False, raw=True)
    async def take(self, request: IRequest, name: Name) -> Answer[bytes]:
        """Log in by a password that somebody else looks at."""
        given = self._context.forms.read(request)
        way: Any = self._logins.way(name)
        if not hasattr(way, "check"):
            raise NotAllowed("this method has no form", allow="GET")
        next_, who = given.get("next", ""), given.get("username", "")[:255]
        try:
            arrival = await self._logins.by_form(
                way,
                who,
                given.get("password", ""),
                by=await self._context.caller(request)
                or lacking_of(self._context, request, name),
                code=given.get("totp", "").strip(),
                next_=next_,
                address=self._context.address(request),
            )
        except (Unauthorized, TooManyRequests, Invalid) as error:
            return self._form(request, way, next_, who, error)
        return self._outcome(request, arrival, next_)

    @operation("GET", "/<name>/authenticated", auth=False, raw=True)
    async def returned(self, request: IRequest, name: Name) -> Answer[bytes]:
        """Come back from somebody's page."""
        way: Any = self._logins.way(name)
        kept = self._context.recall(request, JOURNEY)
        self._context.forget(request, JOURNEY)
        if kept is None or kept["method"] != name or not hasattr(way, "returned"):
            raise Unauthorized("that login was not begun by this browser; once more")
        claims = await way.returned(self._back(name), kept, _query(request))
        by = await self._context.caller(request) or carried(
            self._context, request, name
        )
        if _mark(by) != kept["session"]:
            by = None
        return await self._arrived(request, way.method, claims, by, kept["next"])

    async def _sent(
        self, request: IRequest, way: Any, by: Caller | Lacking | None, next_: str
    ) -> Answer[bytes]:
        name = way.method.name
        departure: Departure = await way.leave(self._back(name))
        kept = {**departure.kept, "method": name, "next": next_, "session": _mark(by)}
        self._context.remember(request, JOURNEY, kept)
        return going(departure.url)

    async def _arrived(
        self,
        request: IRequest,
        method: Method,
        claims: Claims,
        by: Caller | Lacking | None,
        next_: str,
    ) -> Answer[bytes]:
        address = self._context.address(request)
        arrival = await self._logins.arrive(
            method, claims, by, next_=next_, address=address
        )
        if (
            isinstance(arrival, Arrival)
            and arrival.outcome is Outcome.NEW
            and complete(claims, method.forced)
        ):
            return await self._silently(request, arrival.key, claims)
        return self._outcome(request, arrival, next_, form=False)

    async def _silently(
        self, request: IRequest, key: str, claims: Claims
    ) -> Answer[bytes]:
        """Open an account without asking; ask after all where terms are due."""
        try:
            return await opened(
                self._context,
                request,
                key,
                Newcomer(claims.fields["email"]),
                form=False,
            )
        except Invalid:
            self._context.remember(request, NEWCOMER, {"key": key})
            return going(f"{PATH}/new")

    def _outcome(
        self,
        request: IRequest,
        arrival: Arrival | Lacking,
        next_: str,
        *,
        form: bool = True,
    ) -> Answer[bytes]:
        if isinstance(arrival, Lacking):
            return sent_to_add(self._context, request, arrival, next_)
        self._context.forget(request, LACKING)
        if arrival.session is not None:
            return self._context.let_in(request, arrival.session, next_, form=form)
        if arrival.outcome is Outcome.ADDED:
            return going(self._context.redirects.or_else(next_, PROFILE))
        self._context.remember(request, NEWCOMER, {"key": arrival.key})
        return going(f"{PATH}/new")

    def _form(
        self,
        request: IRequest,
        way: Form,
        next_: str,
        name: str = "",
        error: Unauthorized | TooManyRequests | Invalid | None = None,
    ) -> Answer[bytes]:
        status = {Unauthorized: 401, TooManyRequests: 429}
        return self._context.forms.answer(
            request,
            f"Sign in with {way.method.title}",
            status=200 if error is None else status.get(type(error), 400),
            problem="" if error is None else error.message,
            fields=password_fields(name),
            hidden={"next": next_},
            button="Sign in",
            links=[Link(plus_query(PATH, next=next_), "Another way to sign in")],
        )

    def _back(self, name: str) -> str:
        return f"{self._context.origin}{PATH}/{name}/authenticated"


async def opened(
    context: PageContext,
    request: IRequest,
    key: str,
    newcomer: Newcomer,
    *,
    form: bool = True,
) -> Answer[bytes]:
    """Open the account of somebody new; let him in, or say what it waits for."""
    _, session, next_ = await context.weblogin.logins.sign_up(
        key, newcomer, context.address(request)
    )
    context.forget(request, NEWCOMER)
    if isinstance(session, Lacking):
        return sent_to_add(context, request, session, next_)
    if session is not None:
        return context.let_in(request, session, next_, form=form)
    return plain(
        "Your account was opened",
        text="It can be used once your address is verified and, where that is"
        " the rule here, somebody has accepted it. You will get a letter.",
    )


def _mark(by: Caller | Lacking | None) -> str:
    """What a browser that comes back must still be."""
    if isinstance(by, Lacking):
        return f"{by.user} {by.mark}"
    return "" if by is None else by.token_hash.hex()


def _peer(request: IRequest) -> str:
    """Who really is at the other end of the connection."""
    return getattr(request.getClientAddress(), "host", "") or ""


def _header(request: IRequest) -> Any:
    def values(name: str) -> Sequence[str]:
        return request.requestHeaders.getRawHeaders(name) or []

    return values


def _query(request: IRequest) -> dict[str, str]:
    """The query, each name once.

    :raises Invalid: it is not UTF-8.
    """
    try:
        return {
            name.decode(): values[-1].decode()[:8192]
            for name, values in request.args.items()
        }
    except UnicodeDecodeError:
        raise Invalid("the query string is not UTF-8") from None
