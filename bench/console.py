"""The console's bytes per second towards clients, beside websockify's.

One source speaks RFB and then sends all it can; one loader speaks websocket
and RFB and counts what arrives.  Both are the same for either proxy, which
stands between them in a process of its own.  Rounds are interleaved.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from bench.report import cost, goal, note, ratio
from tests.lab.ports import free_port

ROUNDS = 5
SECONDS = 2.0
WARM_UP = 0.4
BLOCK = b"\x5a" * (256 * 1024)
GREETING = b"RFB 003.008\n"
TICKET = "b" * 43


def run() -> None:
    """Measure one connection and sixteen."""
    with _source() as source, _ours(source) as ours, _websockify(source) as theirs:
        for connections in (1, 16):
            mine: list[float] = []
            peer: list[float] = []
            for number in range(ROUNDS):
                turns = [(ours, mine), (theirs, peer)]
                for port, rates in turns if number % 2 else reversed(turns):
                    rates.append(_round(port, connections))
            name = f"console{connections}_vs_websockify"
            note(f"{name} MB/s, ours: {_shown(mine)}; websockify: {_shown(peer)}")
            goal(name, ratio(name, mine, peer), 1.0, at_least=True)
        before = _resident(ours.pid)
        idle = [_client(ours) for _ in range(200)]
        cost(
            "console_memory_per_connection",
            (_resident(ours.pid) - before) / len(idle) / 1000,
            "kB",
        )
        for one in idle:
            one.close()


class _Proxy:
    """Where a proxy listens, and its process."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid


def _round(proxy: _Proxy, connections: int) -> float:
    """Payload bytes per second that all clients together get."""
    clients = [_client(proxy) for _ in range(connections)]
    for client in clients:
        client.sendall(_frame(b"\x01"))  # ClientInit: the source begins
        client.setblocking(False)
    total, buffer = 0, bytearray(1024 * 1024)
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        start = time.perf_counter() + WARM_UP
        while (now := time.perf_counter()) < start + SECONDS:
            if now < start:
                total = 0
            for key, _ in selector.select(0.1):
                with suppress(BlockingIOError):
                    total += key.fileobj.recv_into(buffer)  # type: ignore[union-attr]
    for client in clients:
        client.close()
    return total / SECONDS


def _client(proxy: _Proxy) -> socket.socket:
    """A connection whose handshakes are done but for ClientInit."""
    client = socket.create_connection(("127.0.0.1", proxy.port), 10)
    client.sendall(
        f"GET /console/{TICKET} HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Protocol: binary\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1) or _fail("no answer to the upgrade")
    if b" 101 " not in head:
        _fail(head.decode())
    for expected, said in ((12, GREETING), (2, b"\x01"), (4, b"")):
        _payload(client, expected)
        if said:
            client.sendall(_frame(said))
    return client


def _frame(data: bytes) -> bytes:
    return bytes([0x82, 0x80 | len(data)]) + b"\0\0\0\0" + data


def _payload(client: socket.socket, wanted: int) -> None:
    """Read messages (of less than 126 bytes) that make ``wanted`` bytes."""
    while wanted > 0:
        size = _exactly(client, 2)[1]
        _exactly(client, size)
        wanted -= size


def _exactly(wire: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += wire.recv(size - len(data)) or _fail("the connection ended")
    return data


def _fail(why: str) -> bytes:
    raise RuntimeError(why)


def _resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _shown(rates: Sequence[float]) -> str:
    return " ".join(f"{rate / 1e6:.0f}" for rate in rates)


@contextmanager
def _child(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that prints the port it listens on."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.console", *arguments], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _source() -> Iterator[int]:
    with _child("source") as (_, port):
        yield port


@contextmanager
def _ours(source: int) -> Iterator[_Proxy]:
    with _child("serve", str(source)) as (process, port):
        yield _Proxy(port, process.pid)


@contextmanager
def _websockify(source: int) -> Iterator[_Proxy]:
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "websockify"),
            *(f"127.0.0.1:{port}", f"127.0.0.1:{source}"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield _Proxy(port, process.pid)
    finally:
        process.terminate()
        process.wait()


def source() -> None:
    """Be a VNC server that sends without end once it is asked to begin."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listening.getsockname()[1], flush=True)
    while True:
        wire, _ = listening.accept()
        threading.Thread(target=_blast, args=(wire,), daemon=True).start()


def _blast(wire: socket.socket) -> None:
    with suppress(OSError, RuntimeError), wire:
        wire.sendall(GREETING)
        _exactly(wire, 12)
        wire.sendall(b"\x01\x01")
        _exactly(wire, 1)
        wire.sendall(b"\0\0\0\0")
        _exactly(wire, 1)
        while True:
            wire.sendall(BLOCK)


def serve(node: int) -> None:
    """Be the daemon's console, where every ticket opens ``node``."""
    from twisted.internet import reactor as _reactor
    from twisted.internet.endpoints import TCP4ClientEndpoint
    from twisted.web.resource import Resource
    from twisted.web.server import Site

    from snfd.tasks import Tasks
    from vnc.console import Consoles
    from vnc.model import ConsoleTarget
    from vnc.websocket import resource

    reactor: Any = _reactor
    numbers = count()

    async def redeem(ticket: str, peer: str) -> ConsoleTarget:
        number = str(next(numbers))
        return ConsoleTarget(number, 1, number, "127.0.0.1", node)

    async def still_valid(session: str) -> bool:
        return True

    async def ended(session: str, rx: int, tx: int) -> None:
        return None

    consoles = Consoles(
        redeem=redeem,
        connect=lambda host, port: TCP4ClientEndpoint(reactor, host, port),
        still_valid=still_valid,
        ended=ended,
        clock=reactor,
        tasks=Tasks(),
    )
    consoles.startService()
    root = Resource()
    root.putChild(b"console", resource(consoles))
    port = reactor.listenTCP(0, Site(root), interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


if __name__ == "__main__":
    if sys.argv[1:2] == ["source"]:
        source()
    elif sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]))
    else:
        run()
