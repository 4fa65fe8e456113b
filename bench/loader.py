"""A load generator for object stores: threads, raw sockets, distinct content.

Its own cost is small and the same for every store: content is made of one
filling with a head that differs from block to block, sent without copying, and
its MD5 is known before the clock starts.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from threading import Barrier, BrokenBarrierError, Thread

from attrs import field, frozen

BLOCK = 4 * 1024 * 1024
MIB = 1024 * 1024

_HEAD = 64
_FILLING = os.urandom(65536) * (BLOCK // 65536)
_TIMEOUT = 120.0


class Refused(Exception):
    """A store answered with something else than success, or with other bytes."""


@frozen
class Target:
    """A store and how it is spoken to.

    :ivar prefix: path in front of an object's name, with its slash.
    :ivar headers: sent with each request (the token).
    :ivar md5: its ``ETag`` is the MD5 of the object, and is checked.
    """

    host: str
    port: int
    prefix: str
    headers: Mapping[str, str] = {}
    md5: bool = True


@frozen
class Content:
    """Objects that no two of are equal, nor two blocks of one.

    :ivar seed: sets the objects of one round apart from those of another.
    :ivar size: of each object, in bytes.
    """

    seed: str
    size: int
    count: int
    digests: tuple[str, ...] = field(init=False, repr=False)

    @digests.default
    def _digests(self) -> tuple[str, ...]:
        return tuple(self._digest(index) for index in range(self.count))

    def name(self, index: int) -> str:
        """What the object is called."""
        return f"{self.seed}-{index}"

    def parts(self, index: int) -> Iterator[bytes | memoryview]:
        """The object's bytes."""
        filling = memoryview(_FILLING)
        for start in range(0, self.size, BLOCK):
            length = min(BLOCK, self.size - start)
            head = f"{self.seed} {index} {start} ".encode().ljust(_HEAD, b".")
            yield head[:length]
            if length > _HEAD:
                yield filling[: length - _HEAD]

    def _digest(self, index: int) -> str:
        whole = hashlib.md5(usedforsecurity=False)
        for part in self.parts(index):
            whole.update(part)
        return whole.hexdigest()


@frozen
class Outcome:
    """What a run of requests came to.

    :ivar seconds: from the first request to the last answer.
    :ivar latencies: of each request, in seconds, shortest first.
    """

    seconds: float
    transferred: int
    latencies: tuple[float, ...]

    @property
    def rate(self) -> float:
        """MiB a second."""
        return self.transferred / MIB / self.seconds

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that ``share`` (0 to 1) of the requests keep to, seconds."""
        return self.latencies[
            min(len(self.latencies) - 1, int(share * len(self.latencies)))
        ]


class Connection:
    """One connection that is kept alive."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._socket = socket.create_connection((target.host, target.port), _TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(MIB)
        self._rest = b""

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def put(self, content: Content, index: int) -> int:
        """Write an object and check the answer; its size in bytes.

        :raises Refused: it was not stored, or under another MD5.
        """
        self._head("PUT", content.name(index), {"Content-Length": str(content.size)})
        for part in content.parts(index):
            self._socket.sendall(part)
        status, headers = self._answer()
        self._body(headers)
        if status != 201:
            raise Refused(f"PUT: {status}")
        if self._target.md5 and headers["etag"].strip('"') != content.digests[index]:
            raise Refused(f"PUT: ETag {headers['etag']} is not the content's MD5")
        return content.size

    def get(self, content: Content, index: int, *, check: bool = False) -> int:
        """Read an object; its size in bytes.

        :param check: compare its MD5 too.
        :raises Refused: it is not there, or not what was written.
        """
        self._head("GET", content.name(index), {})
        status, headers = self._answer()
        if status != 200 or int(headers["content-length"]) != content.size:
            raise Refused(f"GET: {status}, {headers.get('content-length')} bytes")
        whole = hashlib.md5(usedforsecurity=False)
        self._body(headers, whole.update if check else None)
        if check and whole.hexdigest() != content.digests[index]:
            raise Refused("GET: other bytes than were written")
        return content.size

    def _head(self, method: str, name: str, extra: Mapping[str, str]) -> None:
        target = self._target
        headers = {"Host": f"{target.host}:{target.port}", **target.headers, **extra}
        lines = [f"{method} {target.prefix}{name} HTTP/1.1"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def _answer(self) -> tuple[int, dict[str, str]]:
        data = self._rest
        while b"\r\n\r\n" not in data:
            more = self._socket.recv(65536)
            if not more:
                raise Refused("the connection was closed")
            data += more
        head, _, self._rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {key.strip().lower(): value.strip() for key, _, value in pairs}
        return int(first.split(" ")[1]), headers

    def _body(
        self,
        headers: Mapping[str, str],
        take: Callable[[bytes | memoryview], object] | None = None,
    ) -> None:
        left = int(headers["content-length"])
        chunk, self._rest = self._rest[:left], self._rest[left:]
        left -= len(chunk)
        if take is not None:
            take(chunk)
        view = memoryview(self._buffer)
        while left:
            count = self._socket.recv_into(view[: min(left, len(view))])
            if not count:
                raise Refused("the connection was closed within a body")
            left -= count
            if take is not None:
                take(view[:count])


def write(target: Target, content: Content, clients: int) -> Outcome:
    """Write all objects, each by one of ``clients`` at once."""
    return _run(target, content.count, clients, lambda c, i: c.put(content, i))


def read(target: Target, content: Content, clients: int, times: int = 1) -> Outcome:
    """Read all objects ``times`` times, by ``clients`` at once."""
    total = content.count * times
    return _run(target, total, clients, lambda c, i: c.get(content, i % content.count))


def check(target: Target, content: Content, every: int = 20) -> int:
    """Read every ``every``-th object back and compare it; how many that were.

    :raises Refused: one is not what was written.
    """
    connection = Connection(target)
    try:
        chosen = range(0, content.count, every)
        for index in chosen:
            connection.get(content, index, check=True)
        return len(chosen)
    finally:
        connection.close()


def _run(
    target: Target,
    total: int,
    clients: int,
    work: Callable[[Connection, int], int],
) -> Outcome:
    """Have requests 0 to ``total`` done; a failure of one fails all."""
    barrier = Barrier(clients + 1)
    latencies: list[float] = []
    failures: list[BaseException] = []
    done = [0] * clients

    def client(number: int) -> None:
        try:
            connection = Connection(target)
            barrier.wait(_TIMEOUT)
            for index in range(number, total, clients):
                started = time.perf_counter()
                done[number] += work(connection, index)
                latencies.append(time.perf_counter() - started)
            connection.close()
        except BrokenBarrierError:
            return
        except BaseException as error:
            failures.append(error)
            barrier.abort()

    threads = [Thread(target=client, args=(n,), daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        barrier.wait(_TIMEOUT)
    except BrokenBarrierError:
        if not failures:
            raise
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        raise failures[0]
    return Outcome(seconds, sum(done), tuple(sorted(latencies)))
