"""Cookies of browsers, and the header that goes with them."""

from __future__ import annotations

from twisted.web.iweb import IRequest

from snfd.errors import Forbidden
from snfd.logins.model import HOST_MARK, SESSION_MARK, csrf_of, same

SESSION = "snfd_session"
HOST = "__Host-"
"""What the names of cookies begin with that our host alone can set, over https.

Others below the same domain, and whoever is on the way of plain http, can set
cookies of any other name for us.
"""

CSRF_HEADER = "x-csrf-token"
SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS"))
MAX_COOKIE = 4096


def named(name: str, secure: bool) -> str:
    """The cookie's full name.

    :param secure: whether browsers come by https.
    """
    return f"{HOST}{name}" if secure else name


def cookie_of(request: IRequest, name: str) -> str | None:
    """The cookie of this full name, or None."""
    raw: bytes | None = request.getCookie(name.encode())
    if not raw or len(raw) > MAX_COOKIE:
        return None
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        return None


def session_of(request: IRequest) -> str | None:
    """The session's secret that a browser presents, for what changes nothing.

    One that was opened over https counts from our host's cookie alone.
    """
    for secure, mark in ((True, HOST_MARK), (False, SESSION_MARK)):
        secret = cookie_of(request, named(SESSION, secure))
        if secret and secret.startswith(mark):
            return secret
    return None


def guarded_session(request: IRequest) -> str | None:
    """The same for any method.

    :raises Forbidden: it may change something and does not carry the session's
        CSRF token: another site may have sent it.
    """
    secret = session_of(request)
    if secret is None or request.method in SAFE:
        return secret
    if not same(request.getHeader(CSRF_HEADER) or "", csrf_of(secret)):
        raise Forbidden("a session needs its CSRF token in X-CSRF-Token")
    return secret


def made(
    name: str,
    value: str,
    *,
    secure: bool,
    seconds: int | None = None,
) -> str:
    """A ``Set-Cookie`` header that scripts cannot read, for all of our host.

    :param secure: as in `named`.
    :param seconds: how long the browser keeps it; 0 forgets it, None keeps it
        until the browser is closed.
    """
    parts = [f"{named(name, secure)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if secure:
        parts.append("Secure")
    return "; ".join(parts)


def put(request: IRequest, line: str) -> None:
    """Have the answer set a cookie, whatever else it sets."""
    request.responseHeaders.addRawHeader(b"Set-Cookie", line.encode())
