"""Fetches an image from its one-time URL into a sparse file.

Memory is bounded: while a piece is hashed and written in a thread, the
connection is paused. Only loopback and the hosts of a list are asked, and
redirects are not followed, so a request cannot make the pocket read elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import Agent, ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IResponse

from pocket.errors import OpExecError

PIECE = 1024 * 1024
HOLE = 64 * 1024
DIGEST = "X-Content-SHA256"
InThread = Callable[..., Awaitable[Any]]
_PAUSE = 3.0
_SOON = (502, 503, 504)


class BrokenOff(OpExecError):
    """A transfer that may well succeed in another attempt."""

    def result(self) -> list[object]:
        """As that of any other failure."""
        return OpExecError(*self.args).result()


def check_url(url: str, hosts: frozenset[str]) -> None:
    """Refuse a URL that the pocket must not fetch.

    :param hosts: names allowed besides loopback.
    :raises OpExecError: it must not.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError as error:
        raise OpExecError(f"The image's URL is wrong: {error}") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise OpExecError("The image's URL must be http or https")
    if host not in hosts and not _loopback(host):
        raise OpExecError(f"Images are not fetched from {host}")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@define(eq=False)
class SparseFile:
    """A new file that is written from its start; zeros become holes.

    Its methods block: they are for a thread. One call at a time.

    :ivar size: how large it may become, in bytes.
    """

    path: Path
    size: int
    _hash: Any = field(init=False, factory=sha256)
    _place: int = field(init=False, default=0)
    _file: int = field(init=False, default=-1)

    def open(self) -> None:
        """Make the file.

        :raises OSError: it exists, or cannot be made.
        """
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, data: bytes) -> None:
        """Append.

        :raises OpExecError: the image is larger than its disk.
        """
        if self._place + len(data) > self.size:
            raise OpExecError("The image is larger than the disk")
        self._hash.update(data)
        for start in range(0, len(data), HOLE):
            part = data[start : start + HOLE]
            if part.strip(b"\0"):
                self._write(part, self._place + start)
        self._place += len(data)

    def _write(self, part: bytes, place: int) -> None:
        view = memoryview(part)
        while view:
            done = os.pwrite(self._file, view, place)
            view, place = view[done:], place + done

    def finish(self) -> str:
        """Grow to the full size and close; the SHA-256 of what was written."""
        os.ftruncate(self._file, self.size)
        self.close()
        return str(self._hash.hexdigest())

    def close(self) -> None:
        """Close, if it is open."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


@define(eq=False)
class Fetcher:
    """Fetches images.

    :ivar in_thread: calls a function in a thread.
    :ivar patience: seconds without a byte after which a transfer is given up.
    :ivar persistence: seconds for which one that broke off is begun again, as
        when the image's server was restarted.
    """

    agent: Agent
    clock: IReactorTime
    in_thread: InThread
    hosts: frozenset[str] = frozenset()
    patience: float = 60.0
    persistence: float = 60.0

    async def fetch(self, url: str, path: Path, size: int) -> None:
        """Make ``path`` of ``size`` bytes, beginning with the image.

        :raises OpExecError: it cannot be fetched, or is not what the headers
            promised; the file may be there, to be removed by the caller.
        """
        check_url(url, self.hosts)
        end, pause = self.clock.seconds() + self.persistence, 0.5
        while True:
            try:
                return await self._once(url, path, size)
            except BrokenOff:
                if self.clock.seconds() + pause > end:
                    raise
            await self.in_thread(path.unlink, True)
            await deferLater(self.clock, pause)
            pause = min(_PAUSE, pause * 1.5)

    async def _once(self, url: str, path: Path, size: int) -> None:
        response = await self._ask(url)
        try:
            length, digest = _promised(response, size)
        except OpExecError:
            response.deliverBody(_Unwanted())
            raise
        target = SparseFile(path, size)
        await self.in_thread(target.open)
        body = _Body(target, self.in_thread, self.clock, self.patience)
        try:
            response.deliverBody(body)
            received = await body.done
            found = await self.in_thread(target.finish)
        finally:
            body.abandon()
            await self.in_thread(target.close)
        if received != length:
            raise OpExecError(f"The image is short: {received} of {length} bytes came")
        if found != digest:
            raise OpExecError(f"The image's SHA-256 is {found}, not {digest}")

    async def _ask(self, url: str) -> IResponse:
        asked = self.agent.request(
            b"GET", url.encode("ascii", "replace"), Headers({"User-Agent": ["pocket"]})
        )
        asked.addTimeout(self.patience, self.clock)
        try:
            response: IResponse = await asked
        except (ConnectError, DNSLookupError, ResponseFailed) as error:
            raise BrokenOff(f"The image cannot be fetched: {error}") from error
        except TooLate as error:
            raise OpExecError(f"The image cannot be fetched: {error}") from error
        return response


def _promised(response: IResponse, size: int) -> tuple[int, str]:
    """Length and digest that the headers tell."""
    if response.code != 200:
        kind = BrokenOff if response.code in _SOON else OpExecError
        raise kind(f"The image's server answered {response.code}")
    length = response.length
    if length is UNKNOWN_LENGTH or not isinstance(length, int):
        raise OpExecError("The image's server does not say how long the image is")
    if length > size:
        raise OpExecError(
            f"The image ({length} bytes) is larger than the disk ({size} bytes)"
        )
    values = response.headers.getRawHeaders(DIGEST) or [""]
    digest = values[0].strip().lower()
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise OpExecError(f"The image comes without {DIGEST}")
    return length, digest


class _Unwanted(Protocol):
    """Closes the connection that a body would come by."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


@define(eq=False)
class _Body(Protocol):
    """Takes the body in pieces, one of them in the thread at a time."""

    target: SparseFile
    in_thread: InThread
    clock: IReactorTime
    patience: float
    done: Deferred[int] = field(init=False, factory=Deferred)
    _parts: list[bytes] = field(init=False, factory=list)
    _waiting: int = field(init=False, default=0)
    _received: int = field(init=False, default=0)
    _busy: bool = field(init=False, default=False)
    _ended: Failure | None = field(init=False, default=None)
    _timer: IDelayedCall | None = field(init=False, default=None)

    def connectionMade(self) -> None:
        """Begin to wait for bytes."""
        self._timer = self.clock.callLater(self.patience, self._late)

    def dataReceived(self, data: bytes) -> None:
        """Collect; hand a full piece to the thread."""
        if self._timer is not None:
            self._timer.reset(self.patience)
        self._parts.append(data)
        self._received += len(data)
        self._waiting += len(data)
        if self._waiting >= PIECE and not self._busy:
            self._busy = True
            Deferred.fromCoroutine(self._write()).addErrback(self._fail)

    async def _write(self) -> None:
        assert self.transport is not None
        self.transport.pauseProducing()  # type: ignore[attr-defined]
        while self._waiting >= PIECE or (self._ended is not None and self._parts):
            data = b"".join(self._parts)
            self._parts, self._waiting = [], 0
            await self.in_thread(self.target.write, data)
        self._busy = False
        if self._ended is not None:
            self._finish()
        elif not self.done.called:
            self.transport.resumeProducing()  # type: ignore[attr-defined]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Write the rest; a body that broke off is told from a whole one."""
        self._stop_timer()
        self._ended = reason
        if not self._busy and not self.done.called:
            self._busy = True
            Deferred.fromCoroutine(self._write_rest()).addErrback(self._fail)

    async def _write_rest(self) -> None:
        data = b"".join(self._parts)
        self._parts, self._waiting = [], 0
        if data:
            await self.in_thread(self.target.write, data)
        self._finish()

    def _finish(self) -> None:
        ended = self._ended
        if self.done.called:
            return
        if ended is None or ended.check(ResponseDone):
            self.done.callback(self._received)
        else:
            why = f"The image broke off after {self._received} bytes"
            self.done.errback(BrokenOff(why))

    def _late(self) -> None:
        self._timer = None
        self._fail(Failure(OpExecError("The image's server has fallen silent")))

    def _fail(self, failure: Failure) -> None:
        self._stop_timer()
        if not self.done.called:
            self.done.errback(failure)
        self.abandon()

    def abandon(self) -> None:
        """Close the connection if it is still open."""
        self._stop_timer()
        if self._ended is None and self.transport is not None:
            self.transport.loseConnection()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
