"""Browsers' sessions: log in, log out, ask who one is.

Below ``/account/v1.0``; source: ``spec/astakos.md`` §5.6.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api import cookies
from api.addresses import Peers
from api.operations import Answer, Reply, operation
from api.times import micros_offset
from snfd.audit import Actor
from snfd.errors import NotFound
from snfd.identity.model import Caller, Issued
from snfd.identity.names import MAX_PASSWORD
from snfd.identity.proof import MAX_PASSCODE
from snfd.logins.model import LOCAL, Attached, Method, csrf_of
from snfd.logins.service import Logins
from snfd.logins.sessions import Sessions


class Login(Struct):
    """Body of ``POST /login``.

    ``username`` may be the e-mail; ``totp`` is the code of the second factor.
    """

    username: Annotated[str, Meta(max_length=255)]
    password: Annotated[str, Meta(max_length=MAX_PASSWORD)]
    totp: Annotated[str, Meta(max_length=MAX_PASSCODE)] = ""

    def __repr__(self) -> str:
        return f"Login(username={self.username!r}, password=…, totp=…)"


class SessionReply(Reply):
    """A session: whose, how long, and what ``X-CSRF-Token`` must carry."""

    user: UUID
    username: str
    csrf: str
    expires: str


class SessionApi:
    """The session of the browser that asks.

    :param secure: whether cookies go over TLS only.
    :param peers: tells where a request comes from.
    """

    def __init__(
        self, sessions: Sessions, secure: bool, peers: Peers | None = None
    ) -> None:
        self._sessions = sessions
        self._secure = secure
        self._peers = peers or Peers()

    @operation("POST", "/login", body=Login, auth=False, raw=True)
    async def login(self, request: IRequest, body: Login) -> Answer[SessionReply]:
        """Open a session by password; the cookie is its key."""
        address = self._peers.address(request)
        issued = await self._sessions.login(
            body.username, body.password, code=body.totp, address=address
        )
        cookie = opened(issued, self._secure)
        return Answer(_reply(issued), headers={"Set-Cookie": cookie})

    @operation("POST", "/logout", status=204, raw=True)
    async def logout(self, caller: Caller, request: IRequest) -> Answer[None]:
        """End the session that the request presents; never another token."""
        _session(request)
        await self._sessions.logout(caller)
        return Answer(None, headers={"Set-Cookie": closed(self._secure)})

    @operation("GET", "/session", raw=True)
    async def session(self, caller: Caller, request: IRequest) -> SessionReply:
        """Tell whose session it is, and its CSRF token."""
        secret = _session(request)
        return SessionReply(
            caller.user, caller.username, csrf_of(secret), micros_offset(caller.expires)
        )


class OfferedMethod(Reply):
    """A way to log in; ``url`` is where a browser begins."""

    name: str
    title: str
    url: str
    create: bool
    required: bool


class OfferedMethods(Reply):
    """Answer of ``GET /login_methods``."""

    login_methods: list[OfferedMethod]


class OwnMethod(Reply):
    """A way in which somebody may log in."""

    id: int
    name: str
    identifier: str
    created: str
    last_used: str | None

    @classmethod
    def of(cls, one: Attached) -> OwnMethod:
        """One of a person's."""
        used = None if one.used is None else micros_offset(one.used)
        return cls(one.id, one.method, one.identifier, micros_offset(one.created), used)


class OwnMethods(Reply):
    """Answer of ``GET /login_methods/own``."""

    login_methods: list[OwnMethod]


class MethodsApi:
    """Login methods: which there are, and which are one's own."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    @operation("GET", "/login_methods", auth=False)
    async def offered(self) -> OfferedMethods:
        """List the ways to log in."""
        found = (way.method for way in self._logins.ways.values())
        return OfferedMethods([_offered(one) for one in found if one.policies.login])

    @operation("GET", "/login_methods/own")
    async def own(self, caller: Caller) -> OwnMethods:
        """List the caller's."""
        found = await self._logins.attached(caller.user)
        return OwnMethods([OwnMethod.of(one) for one in found])

    @operation("DELETE", "/login_methods/own/<method>", status=204)
    async def remove(self, caller: Caller, method: int) -> None:
        """Remove one of the caller's; never the last."""
        await self._logins.detach(Actor.of(caller), caller.user, method, caller)


def _offered(one: Method) -> OfferedMethod:
    url = "/ui/login" if one.name == LOCAL else f"/ui/login/{one.name}"
    policies = one.policies
    return OfferedMethod(one.name, one.title, url, policies.create, policies.required)


def _session(request: IRequest) -> str:
    """The session that made the request's caller known.

    :raises NotFound: it was another token.
    """
    secret = cookies.session_of(request)
    if secret is None or request.getHeader("x-auth-token"):
        raise NotFound("the request presents no session")
    return secret


def opened(issued: Issued, secure: bool) -> str:
    """The cookie of a new session."""
    lasts = issued.token.expires - issued.token.issued
    return cookies.made(
        cookies.SESSION,
        issued.secret,
        secure=secure,
        seconds=int(lasts.total_seconds()),
    )


def closed(secure: bool) -> str:
    """The cookie that makes a browser forget its session."""
    return cookies.made(cookies.SESSION, "", secure=secure, seconds=0)


def _reply(issued: Issued) -> SessionReply:
    user = issued.token.user
    return SessionReply(
        user.uuid,
        user.username,
        csrf_of(issued.secret),
        micros_offset(issued.token.expires),
    )
