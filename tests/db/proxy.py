"""Stands between a client and PostgreSQL, and misbehaves on demand."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from attrs import define, field
from psycopg2.extensions import make_dsn, parse_dsn
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

_NOTIFICATION = b"A"


@define(eq=False)
class Proxy:
    """A Unix socket in front of PostgreSQL's.

    :ivar silent: pass nothing on, in either direction, as a dead network does.
    :ivar silent_after: be silent once a client has sent these bytes.
    :ivar drops_notifications: lose every NOTIFY.
    :ivar sent: what clients sent since the start-up of each connection.
    """

    target: str
    dsn: str
    silent: bool = False
    silent_after: bytes | None = None
    drops_notifications: bool = False
    sent: list[bytes] = field(factory=list)
    dropped: int = 0
    open: list[_Client] = field(factory=list)
    _port: IListeningPort = field(init=False)

    def listen(self, path: str) -> None:
        """Accept clients at ``path``."""
        factory = _Factory(self)
        self._port = reactor.listenUNIX(path, factory)  # type: ignore[attr-defined]

    def close(self) -> Deferred[Any]:
        """Drop everybody."""
        ends = [client.abort() for client in self.open]
        return gatherResults([maybeDeferred(self._port.stopListening), *ends])


class _Factory(Factory[Protocol]):
    """Makes the sides that face clients."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return _Client(self.proxy)


class _Client(Protocol):
    """One client's side."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.ended: Deferred[None] = Deferred()
        self.server: _Server | None = None
        self.held: list[bytes] = []
        self.started = False

    def connectionMade(self) -> None:
        self.proxy.open.append(self)
        server = _Server(self)
        endpoint = UNIXClientEndpoint(reactor, self.proxy.target)
        connectProtocol(endpoint, server).addErrback(lambda _: self.abort())

    def dataReceived(self, data: bytes) -> None:
        if self.started:
            self.proxy.sent.append(data)
        if self.server is None:
            self.held.append(data)
        elif not self.proxy.silent and self.server.transport is not None:
            self.server.transport.write(data)
            trigger = self.proxy.silent_after
            if trigger is not None and trigger in data:
                self.proxy.silent = True

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.proxy.open.remove(self)
        if self.server is not None:
            _abort(self.server)
        self.ended.callback(None)

    def abort(self) -> Deferred[None]:
        _abort(self)
        return self.ended


class _Server(Protocol):
    """The connection to PostgreSQL that serves one client."""

    def __init__(self, client: _Client) -> None:
        self.client = client
        self.rest = b""

    def connectionMade(self) -> None:
        self.client.server = self
        for data in self.client.held:
            if not self.client.proxy.silent and self.transport is not None:
                self.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        proxy = self.client.proxy
        if b"Z\x00\x00\x00\x05I" in data:
            self.client.started = True
        if proxy.drops_notifications:
            data = self._filtered(data)
        if not proxy.silent and self.client.transport is not None:
            self.client.transport.write(data)

    def _filtered(self, data: bytes) -> bytes:
        self.rest += data
        kept = []
        while len(self.rest) >= 5:
            length = 1 + int.from_bytes(self.rest[1:5], "big")
            if len(self.rest) < length:
                break
            message, self.rest = self.rest[:length], self.rest[length:]
            if message[:1] == _NOTIFICATION:
                self.client.proxy.dropped += 1
            else:
                kept.append(message)
        return b"".join(kept)

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        if not self.client.proxy.silent and self.client.transport is not None:
            self.client.transport.loseConnection()


def _abort(protocol: Protocol) -> None:
    transport: Any = protocol.transport
    if transport is not None:
        transport.abortConnection()


def proxy_for(testcase: TestCase, dsn: str) -> Proxy:
    """A proxy in front of the server of ``dsn``, closed after ``testcase``."""
    directory = tempfile.TemporaryDirectory(prefix="snfd-proxy-", dir="/tmp")
    testcase.addCleanup(directory.cleanup)
    parts = parse_dsn(dsn)
    name = ".s.PGSQL.5432"
    proxy = Proxy(
        target=str(Path(parts["host"]) / name),
        dsn=make_dsn(**{**parts, "host": directory.name}),
    )
    proxy.listen(str(Path(directory.name) / name))
    testcase.addCleanup(proxy.close)
    return proxy
