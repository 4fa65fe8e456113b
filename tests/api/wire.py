"""Raw HTTP/1.1 against a whole site in memory: no TCP, no reactor.

Unlike `tests.api.memory` this goes through the streaming of bodies, and sends
the bytes of a path as they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPResponse
from io import BytesIO
from typing import Any

import msgspec
from attrs import frozen
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import IResource, Resource

from storage.upload import Opener, make_site


@frozen
class Reply:
    """One answer, read to its end.

    :ivar headers: lower-case names; the last of several values.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body decoded."""
        return msgspec.json.decode(self.body)

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()


class Transport(StringTransport):
    """Remembers that it was aborted."""

    aborted = False

    def abortConnection(self) -> None:
        """See `ITCPTransport.abortConnection`."""
        self.aborted = True


class Tree(Resource):
    """Resources by the first segments of a path."""

    isLeaf = True

    def __init__(self, mounts: Mapping[str, IResource]) -> None:
        Resource.__init__(self)
        self._mounts = {
            tuple(path.strip("/").encode().split(b"/")): resource
            for path, resource in mounts.items()
        }

    def render(self, request: Any) -> Any:
        """Hand on as the root of the daemon does."""
        for segments, resource in self._mounts.items():
            count = len(segments)
            if tuple(request.postpath[:count]) == segments:
                request.prepath += request.postpath[:count]
                del request.postpath[:count]
                return resource.render(request)
        request.setResponseCode(404)
        return b""


class Wire:
    """A synchronous client of a site.

    :ivar token: sent with each request that brings none.
    """

    def __init__(self, mounts: Mapping[str, IResource], opener: Opener) -> None:
        self.clock = Clock()
        self._site = make_site(Tree(mounts), opener, self.clock)
        self.token: str | None = None

    def connect(self) -> tuple[Any, Transport]:
        """A new connection: the server's protocol and its transport."""
        protocol = self._site.buildProtocol(("127.0.0.1", 1))
        transport = Transport()
        protocol.makeConnection(transport)
        return protocol, transport

    def head(
        self, method: str, path: str | bytes, headers: Mapping[str, str | bytes]
    ) -> bytes:
        """The bytes of a request up to its body."""
        raw = path.encode() if isinstance(path, str) else path
        lines = [b"%s %s HTTP/1.1" % (method.encode(), raw), b"Host: cloud.test"]
        lower = {name.lower() for name in headers}
        if self.token and "x-auth-token" not in lower:
            lines.append(b"X-Auth-Token: " + self.token.encode())
        for name, value in headers.items():
            shown = value.encode() if isinstance(value, str) else value
            lines.append(name.encode() + b": " + shown)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def request(
        self,
        method: str,
        path: str | bytes,
        body: Any = b"",
        chunked: Any = False,
        **headers: Any,
    ) -> Reply:
        """One request on a connection of its own.

        :param headers: names with underscores for dashes; one that ends in an
            underscore is sent with the names' underscores as they are.
        """
        named = {_name(name): value for name, value in headers.items()}
        if chunked:
            named["Transfer-Encoding"] = "chunked"
            sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            body = sent if body else b"0\r\n\r\n"
        elif (body or method in ("PUT", "POST")) and "Content-Length" not in named:
            named["Content-Length"] = str(len(body))
        protocol, transport = self.connect()
        protocol.dataReceived(self.head(method, path, named))
        if body:
            protocol.dataReceived(body)
        self.clock.advance(0)
        return parsed(transport.value(), method)

    def get(self, path: str | bytes, **headers: Any) -> Reply:
        """``GET path``."""
        return self.request("GET", path, **headers)

    def put(self, path: str | bytes, body: Any = b"", **headers: Any) -> Reply:
        """``PUT path``."""
        return self.request("PUT", path, body, **headers)

    def post(self, path: str | bytes, body: Any = b"", **headers: Any) -> Reply:
        """``POST path``."""
        return self.request("POST", path, body, **headers)


class _Socket:
    """What `HTTPResponse` reads from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> BytesIO:
        """All there is."""
        return BytesIO(self._data)


def parsed(data: bytes, method: str = "GET") -> Reply:
    """The first answer in ``data``; an interim one is skipped."""
    response = HTTPResponse(_Socket(data), method=method)  # type: ignore[arg-type]
    response.begin()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Reply(response.status, headers, body)


def _name(name: str) -> str:
    if name.endswith("_"):
        return name[:-1]
    return "-".join(part.capitalize() for part in name.split("_"))
