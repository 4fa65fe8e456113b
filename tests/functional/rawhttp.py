"""HTTP as bytes over TCP, for requests that no client library would send."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from attrs import frozen


@frozen
class Raw:
    """One answer, or none: status 0 where the server only closed.

    :ivar rest: what came behind the first answer.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    rest: bytes = b""


def head(
    method: bytes,
    path: bytes,
    headers: bytes = b"",
    body: bytes = b"",
    *,
    token: bytes = b"",
    version: bytes = b"HTTP/1.1",
) -> bytes:
    """A request; ``headers`` are whole lines, ``body`` is sent as it is."""
    shown = b"X-Auth-Token: " + token + b"\r\n" if token else b""
    first = method + b" " + path + b" " + version + b"\r\nHost: cloud\r\n"
    return first + shown + headers + b"\r\n" + body


def sized(
    method: bytes, path: bytes, body: bytes, *, token: bytes = b"", kind: bytes = b""
) -> bytes:
    """A request with a body of the length that it says, by default JSON."""
    kind = kind or b"application/json"
    headers = b"Content-Type: %b\r\nContent-Length: %d\r\n" % (kind, len(body))
    return head(method, path, headers, body, token=token)


def ask(port: int, data: bytes, seconds: float = 20, close: bool = False) -> Raw:
    """Send ``data`` on a connection of its own and read one answer.

    :param close: say at once that nothing more will be sent.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire:
        try:
            wire.sendall(data)
            if close:
                wire.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused in the middle; the answer is on its way
        return read(wire, data.startswith(b"HEAD "))


def read(wire: socket.socket, bodiless: bool = False) -> Raw:
    """One answer from ``wire``."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = _some(wire)
        if not more:
            return Raw(0, {}, got)
        got += more
    first, _, body = got.partition(b"\r\n\r\n")
    lines = first.decode("latin-1").split("\r\n")
    named = [line.partition(":")[::2] for line in lines[1:]]
    headers = {name.lower(): value.strip() for name, value in named}
    status = int(lines[0].split(" ")[1])
    length = int(headers.get("content-length", "0"))
    if bodiless or status in (204, 304):
        length = 0
    while len(body) < length:
        more = _some(wire)
        if not more:
            break
        body += more
    return Raw(status, headers, body[:length], body[length:])


def _some(wire: socket.socket) -> bytes:
    try:
        return wire.recv(65536)
    except ConnectionError:
        return b""
