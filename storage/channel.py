"""A connection that can hold its client's body back, and drop it.

With `storage.upload` the only place that uses private names of twisted.web; they
are pinned by ``tests/storage/test_upload.py``.
"""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

from snfd.deadlines import Deadline
from snfd.errors import RequestTimeout

IDLE = 60.0
"""Seconds without a byte after which a client is given up."""

HEAD = 30.0
"""Seconds from the first byte of a request to the end of its headers."""

MIN_RATE = 1024
"""Bytes per second, over `IDLE` seconds, below which a body is given up."""

BITE = 128 * 1024
"""Bytes of a chunked body that are parsed in one go."""

CRUMBS = 8 * 1024
"""The same after a bite whose chunks were tiny, or to begin with."""

LINGER = 5.0
"""Seconds that a refused client has to read the answer while it still sends."""

MAX_DIGITS = 19
"""Longest Content-Length; Python refuses to read numbers of some thousands."""


_NOTHING = memoryview(b"")


class StreamingChannel(HTTPChannel):
    """A connection that can hold its client's body back.

    :ivar pieces: how many parts of a body the last bite had.
    """

    pieces = 0

    factory: Any
    timeOut: Any
    transport: Any
    _networkProducer: Any
    _held = False
    _held_timeout: float | None = None
    _parsing = False
    _unread = False
    _since = 0.0
    _arrived = 0
    _backlog = _NOTHING
    _scheduled = False
    _malformed = False
    _head_since: float | None = None
    _limit: Deadline | None = None

    def setTimeout(self, period: float | None) -> Any:
        """Have so many seconds from now; how many it had. One timer serves all."""
        before, self.timeOut = self.timeOut, period
        deadlines = self.factory.deadlines
        if self._limit is not None:
            deadlines.cancel(self._limit)
        self._limit = None if period is None else deadlines.set(period, self._expired)
        return before

    def resetTimeout(self) -> None:
        """Have all of them again, unless they are over."""
        if self._limit is not None:
            self.setTimeout(self.timeOut)

    def _expired(self) -> None:
        self._limit = None
        self.timeoutConnection()

    def dataReceived(self, data: bytes) -> None:
        """Take what came; a head that comes byte by byte is given up."""
        if self.line_mode and not self._handlingRequest:
            now = self.factory.reactor.seconds()
            if self._head_since is None:
                self._head_since = now
            elif now - self._head_since > HEAD:
                self._respondToBadRequestAndDisconnect()
                return
        super().dataReceived(data)

    def hold(self) -> None:
        """Read no more of the body for now; the client is not to blame."""
        if not self._held and not self._handlingRequest:
            self._held = True
            self._held_timeout = self.setTimeout(None)
            self._networkProducer.pauseProducing()

    def release(self) -> None:
        """Read on."""
        if self._held:
            self._held = False
            self.setTimeout(self._held_timeout)
            self._since, self._arrived = self.factory.reactor.seconds(), 0
            if self._backlog:
                self._soon()
            elif not self._waitingForTransport:
                self._networkProducer.resumeProducing()

    def ask_for_body(self) -> None:
        """Send the ``100 Continue`` that was held back."""
        super()._send100Continue()

    def body_refused(self) -> None:
        """Have the request answered although its body is not complete."""
        self.persistent = 0
        self._unread = True
        self._backlog = _NOTHING
        if not self._parsing and not self._handlingRequest:
            self.allContentReceived()

    def allHeadersReceived(self) -> None:
        """Let the request decide what happens to its body."""
        self._head_since = None
        self._since, self._arrived = self.factory.reactor.seconds(), 0
        self.pieces = CRUMBS  # until we know better
        self._parsing = True
        try:
            super().allHeadersReceived()
        finally:
            self._parsing = False
        if self._unread:
            self.length = 0  # the caller answers at once then

    def headerReceived(self, line: bytes) -> bool:
        """Take a header; false, and an answer, if the request cannot be one."""
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and len(value.strip()) > MAX_DIGITS:
            self._respondToBadRequestAndDisconnect()
            return False
        return bool(super().headerReceived(line))

    def lineLengthExceeded(self, line: bytes) -> None:
        """Say that a line of the request's head is too long, and close."""
        self._respondToBadRequestAndDisconnect()

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers
    ) -> None:
        """Write a head in one piece; stock's gives the transport forty."""
        lines = [b" ".join((version, code, reason))]
        for name, values in headers.getAllRawHeaders():
            lines += [b"%b: %b" % (name, value) for value in values]
        self.transport.write(b"\r\n".join((*lines, b"\r\n")))

    def rawDataReceived(self, data: bytes) -> None:
        """Take a part of a body, or of what comes after it."""
        if self._handlingRequest:
            if not self._unread:
                super().rawDataReceived(data)
            return
        self._measure(len(data))
        if self._handlingRequest:
            return  # it was too slow
        if self.length is None and (self._backlog or len(data) > CRUMBS):
            self._backlog = memoryview(bytes(self._backlog) + data)
            self._networkProducer.pauseProducing()
            self._soon()
        else:
            self._parse(data)

    def _soon(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self.callLater(0, self._bite)

    def _bite(self) -> None:
        """Parse a little of what came; then let others have their turn.

        A chunked body can have a chunk for every byte: a read of 1 MiB would
        stop the reactor for a second.
        """
        self._scheduled = False
        if self._held or not self._backlog:
            return  # `release` comes back here
        size = CRUMBS if self.pieces > CRUMBS // 256 else BITE
        data, self._backlog = bytes(self._backlog[:size]), self._backlog[size:]
        self.pieces = 0
        self._parse(data)
        if self._held or self._handlingRequest or self._malformed:
            return
        if self._backlog:
            self._soon()
        elif not self._waitingForTransport:
            self._networkProducer.resumeProducing()

    def _parse(self, data: bytes) -> None:
        self._parsing = True
        try:
            super().rawDataReceived(data)
        finally:
            self._parsing = False
        if self._unread and not self._handlingRequest:
            self.allContentReceived()

    def _finishRequestBody(self, data: bytes) -> None:
        rest, self._backlog = bytes(self._backlog), _NOTHING
        super()._finishRequestBody(data + rest)

    def allContentReceived(self) -> None:
        """Serve the request."""
        self.release()
        super().allContentReceived()

    def resumeProducing(self) -> None:
        """Write on; read on only if nothing is held."""
        super().resumeProducing()
        if self._held or self._backlog:
            self._networkProducer.pauseProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget what was not looked at yet."""
        self._backlog = _NOTHING
        super().connectionLost(reason)

    def timeoutConnection(self) -> None:
        """Refuse a body that stopped coming; close a connection that idles."""
        if self.requests and self.requests[-1].content is not None:
            self.requests[-1].refuse(RequestTimeout("the body stopped coming"))
        else:
            super().timeoutConnection()

    def loseConnection(self) -> None:
        """Close, but let a client that still sends read its answer first."""
        if not self._unread:
            super().loseConnection()
            return
        self._unread = False
        # Closing on unread data would reset the connection, and with it the
        # answer on its way.
        self.dataReceived = self.rawDataReceived = self._drop  # type: ignore[method-assign]
        self._networkProducer.unregisterProducer()
        self._networkProducer.resumeProducing()
        if ITCPTransport.providedBy(self.transport):
            self.transport.loseWriteConnection()
        self._abortingCall = self.callLater(LINGER, self.forceAbortClient)

    def _send100Continue(self) -> None:
        if self.requests[-1].may_continue():
            super()._send100Continue()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self._malformed, self._backlog = True, _NOTHING
        super()._respondToBadRequestAndDisconnect()

    def _measure(self, count: int) -> None:
        now = self.factory.reactor.seconds()
        if now - self._since > IDLE:
            if self._arrived < MIN_RATE * IDLE:
                self.requests[-1].refuse(RequestTimeout("the body comes too slowly"))
            self._since, self._arrived = now, 0
        self._arrived += count

    def _drop(self, data: bytes) -> None:
        """Nobody reads what a refused client still sends."""
