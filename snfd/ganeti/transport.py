"""JSON over HTTPS to one cluster: bounded in connections, time and bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from html import unescape
from typing import Any, Literal, Protocol

import msgspec
import treq.client
from attrs import define, field
from OpenSSL import SSL
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol as Wire
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from snfd.ganeti.port import Away, Refused
from snfd.probe import DURING_SUBMIT, Probe, nothing

CONNECTIONS = 4
"""RAPI forks for each connection and takes twenty at most, from everybody."""

WAITING_MAX = 100
"""Requests that may wait for a connection."""

TIMEOUT = 5.0
"""Seconds that a request may take, the wait for a connection included."""

BODY_MAX = 64 * 1024 * 1024
"""Bytes of an answer."""

THREAD_FROM = 128 * 1024
"""Answers of as many bytes are decoded in a thread."""

_HEADERS = Headers({"Content-Type": ["application/json"]})

_NOT_OURS = frozenset({401, 403, 407, 408, 429})
"""Refusals that speak of credentials or load, not of the request."""

Offload = Callable[[Callable[[bytes], Any], bytes], Awaitable[Any]]
"""Runs a function in a thread."""


class Caller(Protocol):
    """How `Rapi` reaches its cluster."""

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """The decoded answer."""
        ...


async def inline(work: Callable[[bytes], Any], data: bytes) -> Any:
    """An `Offload` that uses no thread."""
    return work(data)


def agent(reactor: Any, policy: IPolicyForHTTPS, connect_timeout: float = 3.0) -> Agent:
    """An agent that makes a new connection for each request, as RAPI wants."""
    pool = HTTPConnectionPool(reactor, persistent=False)
    return Agent(reactor, policy, connect_timeout, pool=pool)


@define(eq=False)
class Transport:
    """Requests to one cluster.

    :ivar url: up to and without ``/2``.
    :ivar probe: told when a request that may queue a job has been sent.
    """

    clock: IReactorTime
    agent: IAgent
    url: str
    username: str
    password: str = field(repr=False)
    offload: Offload = inline
    probe: Probe = nothing
    timeout: float = TIMEOUT
    body_max: int = BODY_MAX
    waiting_max: int = WAITING_MAX
    connections: int = CONNECTIONS
    _gate: DeferredSemaphore = field(init=False)
    _http: treq.client.HTTPClient = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._gate = DeferredSemaphore(self.connections)
        self._http = treq.client.HTTPClient(self.agent)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """The decoded answer.

        :raises Refused: 4xx, but for those about credentials and load.
        :raises Away: no answer, or one that says nothing of the request.
        """
        if len(self._gate.waiting) >= self.waiting_max:
            raise Away(
                f"too many requests wait for {self.url}", queued=False, retry_after=5
            )
        exchange = _Exchange()
        done = Deferred.fromCoroutine(
            self._admitted(exchange, method, path, body, query)
        )
        what = f"{method} {path}"

        def too_late(result: Any, seconds: float) -> Any:
            raise Away(
                f"{self.url} did not answer {what} in {seconds:g} s",
                queued=None if exchange.sent else False,
            )

        code, payload = await done.addTimeout(self.timeout, self.clock, too_late)
        return await self._answer(code, payload, what)

    async def _admitted(
        self, exchange: _Exchange, method: str, path: str, body: Any, query: Any
    ) -> tuple[int, bytes]:
        await self._gate.acquire()
        try:
            return await self._exchange(exchange, method, path, body, query)
        finally:
            self._gate.release()

    async def _exchange(
        self, exchange: _Exchange, method: str, path: str, body: Any, query: Any
    ) -> tuple[int, bytes]:
        probe = self.probe if exchange.submits(method, path) else nothing
        data = msgspec.json.encode({} if body is None else body)
        try:
            response = await self._http.request(
                method,
                self.url.rstrip("/") + path,
                params=dict(query or {}),
                data=_Body(data, self.clock, exchange, probe),
                headers=_HEADERS,
                auth=(self.username, self.password),
            )
            return response.code, await _body(response.original, self.body_max)
        except (ConnectError, DNSLookupError, ConnectingCancelledError) as error:
            raise Away(
                f"{self.url} cannot be reached: {error}", queued=False
            ) from error
        except (ResponseFailed, ConnectionClosed, SSL.Error, OSError) as error:
            raise Away(
                f"{self.url} broke off {method} {path}: {_reasons(error)}",
                queued=None if exchange.sent else False,
            ) from error

    async def _answer(self, code: int, payload: bytes, what: str) -> Any:
        if code == 200:
            try:
                if len(payload) < THREAD_FROM:
                    return msgspec.json.decode(payload)
                return await self.offload(msgspec.json.decode, payload)
            except msgspec.DecodeError as error:
                raise Away(f"{self.url}: {what}: no JSON in answer") from error
        text = _explanation(payload)
        if 400 <= code < 500 and code not in _NOT_OURS:
            raise Refused(text or f"HTTP {code}", code)
        queued: Literal[False] | None = (
            False if code in _NOT_OURS or code == 503 else None
        )
        raise Away(f"{self.url}: {what}: {code} {text}"[:500], queued=queued, code=code)


def _explanation(payload: bytes) -> str:
    """Ganeti's words on an error; they come HTML-escaped."""
    try:
        told = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return unescape(payload[:200].decode("utf-8", "replace"))
    if not isinstance(told, dict):
        return str(told)[:500]
    words = (str(told.get(key) or "") for key in ("message", "explain"))
    return unescape(": ".join(word for word in words if word))[:2000]


def _reasons(error: Exception) -> str:
    failures = getattr(error, "reasons", None) or []
    words = [failure.getErrorMessage() for failure in failures]
    return "; ".join(words)[:500] or str(error) or type(error).__name__


@define(eq=False)
class _Exchange:
    """What is known of a request while it is under way."""

    sent: bool = False

    @staticmethod
    def submits(method: str, path: str) -> bool:
        """Whether the request may queue a job."""
        return method != "GET" and not path.startswith("/2/query/")


@implementer(IBodyProducer)
class _Body:
    """The body of a request; notes when it has gone out."""

    def __init__(
        self, data: bytes, clock: IReactorTime, exchange: _Exchange, probe: Probe
    ) -> None:
        self.length = len(data)
        self._data = data
        self._clock = clock
        self._exchange = exchange
        self._probe = probe

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        self._exchange.sent = True
        consumer.write(self._data)
        if self._probe is not nothing:
            # The bytes leave in the next turn of the reactor.
            self._clock.callLater(0, self._probe, DURING_SUBMIT)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass


def _body(response: IResponse, most: int) -> Deferred[bytes]:
    """All of the body; fails with `Away` if it is longer than ``most``."""
    wire = _Collector(most)
    response.deliverBody(wire)
    return wire.done


class _Collector(Wire):
    """Collects a body up to a bound."""

    def __init__(self, most: int) -> None:
        self.done: Deferred[bytes] = Deferred(lambda _: self._drop())
        self._most = most
        self._size = 0
        self._parts: list[bytes] = []

    def _drop(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Keep the bytes, or give up."""
        self._size += len(data)
        if self._size <= self._most:
            self._parts.append(data)
            return
        self._parts.clear()
        self._fail(Failure(Away(f"answer of more than {self._most} bytes")))
        self._drop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The body is complete, or the connection broke."""
        if self.done.called:
            return
        if type(reason.value).__name__ in ("ResponseDone", "PotentialDataLoss"):
            self.done.callback(b"".join(self._parts))
        else:
            self._fail(reason)

    def _fail(self, reason: Failure) -> None:
        if not self.done.called:
            self.done.errback(reason)
