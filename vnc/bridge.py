"""One open console: a websocket and a node's VNC server, joined.

Until both handshakes are done the bridge answers both sides itself; from then
on it passes bytes, and each side's producer pauses the other: no more than
one read and one write buffer per direction is ever held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as Connection
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from vnc.model import (
    ENDED,
    LEFT,
    UNREACHABLE,
    WRONG_PASSWORD,
    Closing,
    ConsoleTarget,
    Limits,
)
from vnc.ports import Socket, Wire
from vnc.rfb import CHALLENGE, ClientHandshake, NodeHandshake, RfbError, WrongPassword

READ = 256 * 1024
"""Bytes taken from the node at once, hence the longest message to a client."""


@implementer(IPushProducer)
class _Reading:
    """A websocket's reading end, as a producer for the node's connection."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    def pauseProducing(self) -> None:
        self._socket.pause()

    def resumeProducing(self) -> None:
        self._socket.resume()

    def stopProducing(self) -> None:
        """The node is gone; the bridge hears of that by itself."""


class _Node(Connection):
    """The connection to a node's VNC server; tells its bridge everything."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.dataReceived = bridge._from_node  # type: ignore[method-assign]

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        transport.bufferSize = READ
        self._bridge._node = transport

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._bridge._node_lost(reason)


@define(eq=False)
class Bridge:
    """A console from its redeemed ticket to its end.

    :ivar entropy: gives that many random bytes.
    :ivar rx: bytes from the client so far.
    :ivar tx: bytes to the client so far.
    :ivar done: fires, with the bridge, when both connections are gone.
    """

    target: ConsoleTarget
    socket: Socket
    clock: IReactorTime
    limits: Limits
    entropy: Callable[[int], bytes] = field(repr=False)
    rx: int = field(init=False, default=0)
    tx: int = field(init=False, default=0)
    started: float = field(init=False)
    done: Deferred[Bridge] = field(init=False, factory=Deferred, repr=False)
    closing: Closing | None = field(init=False, default=None)
    _node: Wire | None = field(init=False, default=None)
    _connecting: Deferred[Any] | None = field(init=False, default=None)
    _ours: NodeHandshake = field(init=False)
    _theirs: ClientHandshake | None = field(init=False, default=None)
    _early: bytes = field(init=False, default=b"", repr=False)
    _spliced: bool = field(init=False, default=False)
    _socket_open: bool = field(init=False, default=True)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _log = Logger()

    def start(self, endpoint: IStreamClientEndpoint) -> None:
        """Connect to the node; the client is not read until it answers."""
        self.started = self.clock.seconds()
        self._ours = NodeHandshake(self.target.password)
        self.socket.pause()
        self._deadline(self.limits.connect, UNREACHABLE)
        factory = Factory.forProtocol(lambda: _Node(self))
        connecting: Deferred[Any] = endpoint.connect(factory)
        self._connecting = connecting
        connecting.addCallbacks(self._connected, self._unreachable)

    def received(self, data: bytes) -> None:
        """Take a message of the client."""
        self.rx += len(data)
        if self._spliced and self._node is not None:
            self._node.write(data)
        elif self._theirs is not None:
            self._greet(self._theirs, data)
        elif self.closing is None:
            self._early += data  # of one read: the socket is paused

    def close(self, closing: Closing) -> None:
        """End both sides, saying why to the client; only the first call counts."""
        if self.closing is not None:
            return
        self.closing = closing
        self._spliced = False
        self._cancel_timer()
        if self._connecting is not None:
            self._connecting.cancel()
        if self._node is not None:
            self._node.unregisterProducer()
            self._node.resumeProducing()
            self._node.loseConnection()
        if self._socket_open:
            self.socket.detach()
            self.socket.resume()
            self.socket.close(closing)
        self._timer = self.clock.callLater(self.limits.close, self.abort)
        self._settle()

    def abort(self) -> None:
        """Cut whatever is still connected."""
        if self._node is not None:
            self._node.abortConnection()
        if self._socket_open:
            self.socket.abort()

    def lost(self) -> None:
        """The websocket is gone."""
        self._socket_open = False
        self.close(LEFT)
        self._settle()

    def _connected(self, _: object) -> None:
        self._connecting = None
        if self.closing is not None and self._node is not None:
            self._node.abortConnection()

    def _unreachable(self, failure: Failure) -> None:
        self._connecting = None
        if self.closing is None:
            self._complain(failure.getErrorMessage())
            self.close(UNREACHABLE)
        self._settle()

    def _from_node(self, data: bytes) -> None:
        if self._spliced:
            self.tx += len(data)
            self.socket.send(data)
        elif self.closing is None:
            self._agree(data)

    def _agree(self, data: bytes) -> None:
        """Go on with the node's handshake; after it, greet the client."""
        node = cast(Wire, self._node)
        try:
            node.write(self._ours.feed(data))
        except RfbError as error:
            self._complain(error.message)
            self.close(UNREACHABLE)
            return
        if self._ours.done and self._theirs is None:
            node.pauseProducing()
            password = self.target.client_password
            challenge = b"" if password is None else self.entropy(CHALLENGE)
            self._theirs = ClientHandshake(password, challenge)
            self._deadline(self.limits.greet, WRONG_PASSWORD if password else LEFT)
            self.socket.resume()
            early, self._early = self._early, b""
            self._greet(self._theirs, early)

    def _greet(self, handshake: ClientHandshake, data: bytes) -> None:
        """Go on with the client's handshake; after it, join the two."""
        if self.closing is not None:
            return
        try:
            self._say(handshake.feed(data))
        except WrongPassword:
            self._say(handshake.last_words())
            self.close(WRONG_PASSWORD)
        except RfbError as error:
            self.close(Closing(1002, error.message[:120]))
        else:
            if handshake.done:
                self._splice(handshake.rest)

    def _splice(self, first: bytes) -> None:
        node = cast(Wire, self._node)
        self._cancel_timer()
        self._spliced = True
        self.socket.attach(cast(IPushProducer, node))
        node.registerProducer(_Reading(self.socket), True)
        if self._ours.rest:
            self._say(self._ours.rest)
        if first:
            node.write(first)
        node.resumeProducing()

    def _say(self, data: bytes) -> None:
        if data:
            self.tx += len(data)
            self.socket.send(data)

    def _node_lost(self, reason: Failure) -> None:
        self._node = None
        if self.closing is None and not self._spliced:
            self._complain(reason.getErrorMessage())
        self.close(ENDED if self._spliced else UNREACHABLE)
        self._settle()

    def _complain(self, why: str) -> None:
        self._log.warn(
            "console of server {server}: {host}:{port}: {why}",
            server=self.target.server,
            host=self.target.host,
            port=self.target.port,
            why=why,
        )

    def _deadline(self, seconds: float, closing: Closing) -> None:
        self._cancel_timer()
        self._timer = self.clock.callLater(seconds, self.close, closing)

    def _cancel_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _settle(self) -> None:
        """Fire `done` once nothing is connected or connecting any more."""
        gone = self._node is None and not self._socket_open
        if gone and self._connecting is None and not self.done.called:
            self._cancel_timer()
            self.done.callback(self)
