"""Request bodies that are decided on before, and stored while, they arrive.

twisted.web calls a resource only when the whole body is there.  Here an opener
sees method, path and headers first and may give a `Sink`; the client is kept
waiting until it has decided, is asked to go on (``100 Continue``) only then, and
is slowed down to the speed of the sink.  All other bodies are buffered in
memory up to a limit.

This module and `storage.channel` are the only ones that use private names of
twisted.web; they are pinned by ``tests/storage/test_upload.py``.
"""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from snfd.deadlines import Deadlines
from snfd.errors import CloudError, RequestTimeout, Timeout, TooLarge
from storage.channel import IDLE, StreamingChannel
from storage.writer import Upload

BODY_LIMIT = 256 * 1024
"""Bytes of an ordinary body, unless the opener says otherwise.

Decoding one holds the reactor; larger ones would do so for too long.
"""

DECIDE = 60.0
"""Seconds that an opener may take."""

_log = Logger()


class Sink(Protocol):
    """Where a body goes while it arrives."""

    def write(self, data: bytes) -> Deferred[None] | None:
        """Take ``data``; a Deferred asks to hold the rest back until it fires.

        What was read already may still come.  A `CloudError`, here or in the
        Deferred, refuses the request.
        """
        ...

    def close(self) -> Awaitable[Upload]:
        """All of the body was written; give what became of it."""
        ...

    def abort(self) -> None:
        """The rest of the body will never come; may be called again."""
        ...


Opener = Callable[[bytes, bytes, Headers], "int | Awaitable[Sink] | None"]
"""Decides, by method, URI (with its query) and headers, what happens to a body.

None: it is buffered, up to the site's limit.  A number: up to that many bytes.
An awaitable: it goes into the sink; a `CloudError` refuses the request, and the
resource that serves it meets that error in `received`.
"""


def received(request: IRequest) -> Deferred[Upload]:
    """Give what became of the body of a request that has a sink.

    :raises CloudError: why it was refused, or why it could not be stored.
    :raises TypeError: the opener gave this request no sink.
    """
    if not isinstance(request, StreamingRequest) or not request.streams:
        raise TypeError("the body of this request was not opened as a stream")
    return request.outcome()


def sink_of(request: IRequest) -> Any:
    """Give the sink that the opener gave for ``request``, or None."""
    return getattr(request, "sink", None)


class Unread(BytesIO):
    """The content of a request that was refused: reading it raises why."""

    def __init__(self, error: CloudError) -> None:
        super().__init__()
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        """Raise the reason of the refusal."""
        raise self._error


class StreamingRequest(Request):
    """A request whose body may go into a sink.

    :ivar streams: whether the opener has taken the body on.
    :ivar sink: what the opener gave, once it did.
    :ivar refusal: why the body was not, or not wholly, read.
    """

    channel: Any
    content: Any
    streams = False
    sink: Sink | None = None
    refusal: CloudError | None = None
    _opening: Deferred[Any] | None = None
    _waiting: Deferred[None] | None = None
    _limit = 0
    _over = False
    _expects = False
    _arguments: tuple[bytes, bytes, bytes] | None = None
    _outcome: Upload | Failure | None = None

    def gotLength(self, length: int | None) -> None:
        """Ask the opener; called when all headers are there."""
        channel = self.channel
        self.content = BytesIO()
        self._early: list[bytes] = []
        self._askers: list[Deferred[Upload]] = []
        try:
            verdict = channel.site.opener(
                channel._command, channel._path, self.requestHeaders
            )
        except Exception:
            self.streams = True
            self._refused(Failure())
            return
        if verdict is None or isinstance(verdict, int):
            self._limit = channel.site.body_limit if verdict is None else verdict
            if length is not None and length > self._limit:
                self._too_large()
            return
        self.streams = True
        self._open(verdict)

    def may_continue(self) -> bool:
        """Say whether the client may be asked for the body now."""
        self._expects = self._opening is not None
        return not self._expects and self.refusal is None

    def handleContentChunk(self, data: bytes) -> None:
        """Take a part of the body."""
        if self.refusal is not None:
            return
        self.channel.pieces += 1
        if self._opening is not None:
            self._early.append(data)
        elif self.sink is not None:
            self._pass_on(data)
        elif self.content.tell() + len(data) > self._limit:
            self._too_large()
        else:
            self.content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Serve the request: its body is complete, or was refused."""
        if self._opening is not None and self.refusal is None:
            self._arguments = command, path, version
            return
        self._over = True
        if self.refusal is None and self.sink is not None:
            closing = Deferred.fromCoroutine(_awaited(self.sink.close()))
            closing.addBoth(self._settle)
        super().requestReceived(command, path, version)

    def refuse(self, error: CloudError) -> None:
        """Read no more of the body: answer now, and close the connection."""
        if self.refusal is not None or self._over:
            return
        self.refusal = error
        self.content = Unread(error)
        self._settle(Failure(error))
        if self._opening is not None:
            self._opening.cancel()
        if self.sink is not None:
            self.sink.abort()
        self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        self.channel.body_refused()

    def outcome(self) -> Deferred[Upload]:
        """Give what became of the body (`received`)."""
        if isinstance(self._outcome, Failure):
            return fail(self._outcome)
        if self._outcome is not None:
            return succeed(self._outcome)
        asker: Deferred[Upload] = Deferred()
        self._askers.append(asker)
        return asker

    def connectionLost(self, reason: Failure) -> None:
        """Give up: the client is gone."""
        self._over = True
        if self._opening is not None:
            self._opening.cancel()
        if self.sink is not None and self._outcome is None:
            self.sink.abort()
        super().connectionLost(reason)
        if self.streams:
            self._settle(Failure(RequestTimeout("the client has gone away")))

    def _open(self, verdict: Awaitable[Sink]) -> None:
        opening = Deferred.fromCoroutine(_awaited(verdict))
        self._opening = opening
        opening.addTimeout(DECIDE, self.channel.factory.reactor, _undecided)
        opening.addCallbacks(self._opened, self._refused)
        if self._opening is not None:
            self.channel.hold()

    def _opened(self, sink: Sink) -> None:
        self._opening = None
        if self._over or self.refusal is not None:
            sink.abort()
            return
        self.sink = sink
        early, self._early = self._early, []
        for data in early:
            self.handleContentChunk(data)
        if self.refusal is not None:
            return
        if self._expects:
            self.channel.ask_for_body()
        if self._waiting is None:
            self.channel.release()
        if self._arguments is not None:
            self.requestReceived(*self._arguments)

    def _refused(self, failure: Failure) -> None:
        self._opening = None
        if self._over or self.refusal is not None:
            return
        error = _told(failure)
        if self._arguments is None:
            self.refuse(error)
            return
        # The body has arrived meanwhile: an ordinary answer is enough.
        self._over, self.refusal, self.content = True, error, Unread(error)
        self._settle(Failure(error))
        super().requestReceived(*self._arguments)

    def _too_large(self) -> None:
        self.refuse(TooLarge(f"the body is longer than {self._limit} bytes"))

    def _pass_on(self, data: bytes) -> None:
        assert self.sink is not None
        try:
            waiting = self.sink.write(data)
        except Exception:
            self._sink_failed(Failure())
            return
        if waiting is not None and self._waiting is None:
            self._waiting = waiting
            self.channel.hold()
            waiting.addCallbacks(self._resume, self._sink_failed)

    def _resume(self, result: None) -> None:
        self._waiting = None
        if not self._over and self.refusal is None:
            self.channel.release()

    def _sink_failed(self, failure: Failure) -> None:
        self._waiting = None
        if not self._over:
            self.refuse(_told(failure))

    def _settle(self, result: Upload | Failure) -> None:
        if self._outcome is not None:
            return
        if isinstance(result, Failure):
            result = Failure(_told(result))
        self._outcome = result
        askers, self._askers = self._askers, []
        for asker in askers:
            asker.callback(result)


class StreamingSite(Site):
    """A site of `StreamingRequest`; speaks HTTP/1.1 only."""

    protocol: Any = StreamingChannel
    opener: Opener
    body_limit: int
    deadlines: Deadlines

    def acceptableProtocols(self) -> list[bytes]:
        """Offer HTTP/1.1 in TLS's negotiation."""
        return [b"http/1.1"]

    def log(self, request: Any) -> None:
        """Write no line: URIs may hold secrets, and the root logs requests."""


def make_site(
    resource: IResource, opener: Opener, reactor: Any, *, limit: int = BODY_LIMIT
) -> StreamingSite:
    """Make a site that asks ``opener`` about every request.

    :param limit: bytes of a body that the opener does not take on.
    """
    site = StreamingSite(
        resource,
        StreamingRequest,
        timeout=IDLE,
        reactor=reactor,
        parsePOSTFormSubmission=False,  # a form would be one more way to say a query
    )
    site.opener, site.body_limit = opener, limit
    site.deadlines = Deadlines(reactor)
    return site


async def _awaited(thing: Awaitable[Any]) -> Any:
    return await thing


def _undecided(result: Any, seconds: float) -> Any:
    raise Timeout(f"the upload was not let in within {seconds:.0f} s")


def _told(failure: Failure) -> CloudError:
    """Give the error that a client may see; log what is nobody's business."""
    error = failure.value
    if isinstance(error, CloudError):
        return error
    if isinstance(error, CancelledError | ConnectionDone):
        return RequestTimeout("the request was broken off")
    _log.failure("a request body failed", failure)
    return CloudError("internal error")
