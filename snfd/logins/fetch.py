"""JSON from login providers: only where we were told to ask, briefly, in bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
import treq.client
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed, ResponseNeverReceived
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

from snfd.errors import Unavailable

BODY_MAX = 256 * 1024
"""Bytes of one answer."""

AT_ONCE = 8
WAITING = 64
"""Requests that may wait for one of `AT_ONCE` connections."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def origin(url: str) -> str:
    """Scheme, host and port of ``url``.

    :raises ValueError: it is none that we would ask: HTTPS, or loopback.
    """
    parts = urlsplit(url)
    if parts.username is not None or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a login provider")
    if parts.scheme != "https" and not (
        parts.scheme == "http" and parts.hostname in LOOPBACK
    ):
        raise ValueError(f"{url!r} is not https")
    standard = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{parts.hostname}:{parts.port or standard}"


def said(error: Exception, timeout: float) -> str:
    """What went wrong, for the log.

    :param timeout: how long was waited, in seconds.
    """
    if isinstance(error, TooLate | CancelledError | ConnectingCancelledError):
        return f"no answer in {timeout:g} seconds"
    return str(error) or type(error).__name__


@define(eq=False)
class Fetcher:
    """Asks the origins that it may ask, and follows nobody elsewhere.

    What a provider's metadata says is not a reason to ask anybody: it could
    name hosts that only we can reach.

    :ivar origins: as `origin` writes them.
    :ivar timeout: of one request, in seconds.
    """

    agent: IAgent
    clock: IReactorTime
    origins: frozenset[str]
    timeout: float = 5.0
    _gate: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE))
    _http: treq.client.HTTPClient = field(init=False)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._http = treq.client.HTTPClient(self.agent)

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and decoded body of a GET.

        :raises Unavailable: no answer, or none that is JSON; or we may not ask
            there.
        """
        return await self._asked("GET", url, headers or {}, None, None)

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        auth: tuple[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and decoded body of a form's POST.

        :raises Unavailable: as `get`.
        """
        return await self._asked("POST", url, {}, dict(form), auth)

    async def _asked(
        self, method: str, url: str, headers: Mapping[str, str], form: Any, auth: Any
    ) -> tuple[int, Any]:
        self._allow(url)
        if len(self._gate.waiting) >= WAITING:
            raise Unavailable("too many logins at once", retry_after=2)
        work = Deferred.fromCoroutine(
            self._admitted(method, url, headers, form, auth)
        ).addTimeout(self.timeout, self.clock)
        try:
            status, body = await work
            return status, msgspec.json.decode(body)
        except (
            TooLate, CancelledError, ConnectError, ConnectingCancelledError,
            ConnectionClosed, DNSLookupError,
            ResponseFailed, ResponseNeverReceived, msgspec.DecodeError,
        ) as error:  # fmt: skip
            self._log.warn(
                "no good answer from {url}: {error}",
                url=url,
                error=said(error, self.timeout),
            )
            raise Unavailable(
                "the login provider does not answer", retry_after=10
            ) from None

    async def _admitted(
        self, method: str, url: str, headers: Mapping[str, str], form: Any, auth: Any
    ) -> tuple[int, bytes]:
        await self._gate.acquire()
        try:
            response = await self._http.request(
                method,
                url,
                headers=Headers(
                    {"Accept": ["application/json"]}
                    | {name: [value] for name, value in headers.items()}
                ),
                data=form,
                auth=auth,
                allow_redirects=False,
                unbuffered=True,
            )
            return response.code, await _body(response)
        finally:
            self._gate.release()

    def _allow(self, url: str) -> None:
        try:
            found = origin(url)
        except ValueError as error:
            found = str(error)
        if found not in self.origins:
            self._log.warn("a login provider names {url}, which we never ask", url=url)
            raise Unavailable("the login provider's metadata is not acceptable")


async def _body(response: IResponse) -> bytes:
    done: Deferred[bytes] = Deferred()
    reader = _Reader(done)
    response.deliverBody(reader)
    done.addErrback(reader.gave_up)
    return await done


class _Reader(Protocol):
    """Collects a body of at most `BODY_MAX` bytes."""

    def __init__(self, done: Deferred[bytes]) -> None:
        self._done = done
        self._parts: list[bytes] = []
        self._size = 0

    def dataReceived(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > BODY_MAX:
            self._parts.clear()
            self._abort()
            if not self._done.called:
                self._done.errback(ResponseFailed([], None))
            return
        self._parts.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._done.called:
            return
        if reason.check(ConnectionClosed) and not reason.check(PotentialDataLoss):
            self._done.errback(reason)
        else:
            self._done.callback(b"".join(self._parts))

    def gave_up(self, failure: Failure) -> Failure:
        """Who waited does so no longer."""
        self._abort()
        return failure

    def _abort(self) -> None:
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()


def origins(urls: Sequence[str]) -> frozenset[str]:
    """The origins of ``urls``.

    :raises ValueError: as `origin`.
    """
    return frozenset(map(origin, urls))
