"""What moving large blocks needs of the allocator and of sockets."""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

import ctypes
import gc
import resource
from collections.abc import Callable
from typing import Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from zope.interface import implementer

CHUNK = 1024 * 1024
"""Bytes that a socket is asked for, or given, at once."""

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_SETTINGS = {
    # glibc maps and unmaps every large buffer by default, and the kernel zeroes
    # it anew each time: with 4 MiB blocks that is most of the work.
    _M_MMAP_THRESHOLD: 32 << 20,
    _M_TRIM_THRESHOLD: 256 << 20,
    _M_TOP_PAD: 16 << 20,
    # Otherwise each thread has a heap of its own, and what it frees there helps
    # no other: a third more memory for the same blocks.
    _M_ARENA_MAX: 1,
}


def tune_malloc() -> bool:
    """Make the C library keep freed blocks; say whether it took the settings.

    To be called once, early; where the C library has no ``mallopt`` nothing
    happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(name, value) == 1 for name, value in _SETTINGS.items())


def freeze_heap() -> None:
    """Spare the garbage collector what is there now, to be called once all is.

    It is there to stay; looking at all of it takes a full collection 25 ms, in
    which nobody is served.
    """
    gc.collect()
    gc.freeze()


def raise_file_limit(most: int = 65536) -> int:
    """Let the process have more files and connections open; how many then.

    The usual 1024 are used up by as many idle clients.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft


class LargeServer(tcp.Server):
    """A connection that is read and written in large chunks."""

    bufferSize = CHUNK
    SEND_LIMIT = CHUNK
    _here: IAddress | None = None
    _gathering = False
    _gathered = False

    def startWriting(self) -> None:
        """Have the reactor say when there is room, but for what `together` sends."""
        if self._gathering:
            self._gathered = True
        else:
            super().startWriting()

    def together(self, write: Callable[[], None]) -> None:
        """Send at once what ``write`` writes; the reactor cares for the rest.

        Most answers fit into what the system takes: that saves two calls to epoll
        and a turn of the reactor.
        """
        if self._gathering:
            write()
            return
        self._gathering, self._gathered = True, False
        try:
            write()
        finally:
            self._gathering = False
            if self._gathered and (self.doWrite() is not None or self.dataBuffer):
                self.startWriting()

    def getHost(self) -> IAddress:
        """Our end's address; the system is asked once, not at each request."""
        if self._here is None:
            self._here = super().getHost()
        return self._here


def send(request: Any, body: bytes) -> None:
    """End ``request``, whose head is set, with ``body``, in one piece if it can be."""

    def write() -> None:
        if body:
            request.write(body)
        request.finish()

    if isinstance(request.transport, LargeServer):
        request.transport.together(write)
    else:
        write()


class LargePort(tcp.Port):
    """A TCP port whose connections are `LargeServer`."""

    transport = LargeServer


@implementer(IStreamServerEndpoint)
class LargeEndpoint:
    """A TCP endpoint on a `LargePort`.

    :param interface: an address to bind, empty for all of IPv4, ``::`` for all.
    :param backlog: how many connections may wait to be accepted.
    """

    def __init__(
        self, reactor: Any, port: int, interface: str = "", backlog: int = 511
    ) -> None:
        self._reactor = reactor
        self._port = port
        self._interface = interface
        self._backlog = backlog

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Start listening; raises `CannotListenError` in the Deferred."""
        return maybeDeferred(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        port = LargePort(
            self._port, factory, self._backlog, self._interface, self._reactor
        )
        port.startListening()
        return port


def endpoint(reactor: Any, text: str) -> IStreamServerEndpoint:
    """Where to listen; plain TCP with large reads and writes.

    :raises ValueError: ``text`` is no endpoint string.
    """
    kind, *rest = text.split(":")
    given = dict(part.partition("=")[::2] for part in rest[1:])
    if kind == "tcp" and rest and set(given) <= {"interface"}:
        return LargeEndpoint(reactor, int(rest[0]), given.get("interface", ""))
    found: IStreamServerEndpoint = serverFromString(reactor, text)
    return found
