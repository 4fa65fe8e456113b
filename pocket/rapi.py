"""RAPI over HTTP: authentication, bodies, errors, and faults on demand."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec
from attrs import define
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource
from twisted.web.server import NOT_DONE_YET, Request, Site
from zope.interface import implementer

from pocket.call import Call
from pocket.cluster import Cluster
from pocket.control import control
from pocket.errors import Refusal
from pocket.faults import Faults
from pocket.jobs import JobQueue
from pocket.routes import find
from pocket.users import REALM, WRITE, User, authenticate

MOST_BODY = 1024 * 1024
_BEFORE = ("hang", "reset", "error")
_AFTER = ("lose", "lose-hang")


@implementer(IResource)
@define(eq=False)
class Rapi:
    """The whole of RAPI as one resource.

    :ivar with_control: whether ``/pocket`` is there, for tests.
    """

    cluster: Cluster
    jobs: JobQueue
    faults: Faults
    users: Mapping[str, User]
    with_control: bool = False
    isLeaf = True
    _log = Logger()

    def getChildWithDefault(self, name: bytes, request: Request) -> IResource:
        """There are no children."""
        return self

    def putChild(self, path: bytes, child: IResource) -> None:
        """There are no children."""
        raise NotImplementedError

    def render(self, request: Request) -> Any:
        """Answer a request."""
        name = f"{request.method.decode('ascii', 'replace')} {_path(request)}"
        fault = self._fault(name, _BEFORE)
        if fault is not None and fault.kind == "error":
            return _error(request, Refusal(fault.status, "Failure on demand"))
        if fault is not None:
            return _drop(request, fault.kind)
        try:
            answer = self._answer(request)
        except Refusal as refusal:
            return _error(request, refusal)
        except Exception:
            self._log.failure("{name} failed", name=name)
            return _error(request, Refusal(500, "Internal error"))
        answer = self.faults.emptied(name, answer)
        fault = self._fault(name, _AFTER)
        if fault is not None:
            return _drop(request, fault.kind)
        request.setHeader("content-type", "application/json")
        return msgspec.json.encode(answer) + b"\n"

    def _fault(self, name: str, kinds: tuple[str, ...]) -> Any:
        if name.partition(" ")[2].startswith("/pocket/"):
            return None
        return self.faults.meet(name, kinds)

    def _answer(self, request: Request) -> Any:
        user = authenticate(self.users, request.getHeader("authorization"))
        method, path = request.method.decode("ascii", "replace"), _path(request)
        reading = method == "GET" or path.startswith("/2/query/")
        if not reading and WRITE not in user.options:
            raise Refusal(403, "No permission to change anything")
        body = _body(request)
        if self.with_control and path.startswith("/pocket/"):
            return control(self.jobs, self.faults, method, path, body)
        handler, item = find(method, path)
        query = request.uri.decode("utf-8", "replace").partition("?")[2]
        args = parse_qs(query, keep_blank_values=True, max_num_fields=1000)
        return handler(Call(self.cluster, self.jobs, item, args, body))


def _path(request: Request) -> str:
    return request.path.decode("utf-8", "replace")


def _body(request: Request) -> Any:
    if request.content is None:
        return None
    raw = request.content.read()
    if getattr(request, "too_large", False):
        raise Refusal(413, f"Bodies have at most {MOST_BODY} bytes")
    if not raw:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise Refusal(400, "Unable to parse JSON data") from None


def _error(request: Request, refusal: Refusal) -> bytes:
    request.setResponseCode(refusal.status)
    request.setHeader("content-type", "application/json")
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        request.setHeader("www-authenticate", f'Basic realm="{REALM}"')
    return msgspec.json.encode(
        {
            "code": refusal.status,
            "message": HTTPStatus(refusal.status).phrase,
            "explain": escape(refusal.explain),
        }
    )


def _drop(request: Request, kind: str) -> int:
    """Leave the client without an answer, connected or not."""
    request.notifyFinish().addErrback(lambda _: None)
    if kind in ("reset", "lose"):
        transport: Any = request.transport
        transport.abortConnection()
    return NOT_DONE_YET


class RapiRequest(Request):
    """A request whose body is kept only as far as it may be long.

    :ivar too_large: whether more came.
    """

    too_large = False
    _taken = 0

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body, or drop it."""
        self._taken += len(data)
        if self._taken > MOST_BODY:
            self.too_large = True
        else:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]


class OneRequest(HTTPChannel):
    """A connection that ends with its first answer, as RAPI's do."""

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        """Never persistent; says so to the client."""
        request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        return False


class RapiSite(Site):
    """Makes channels that speak HTTP/1.1 for one request."""

    def buildProtocol(self, addr: object) -> Any:
        """A channel for a new connection."""
        channel: Any = OneRequest()  # type: ignore[no-untyped-call]
        channel.factory = self
        channel.site = self
        channel.requestFactory = RapiRequest
        channel.callLater = self.reactor.callLater
        channel.timeOut = self.timeOut
        return channel


def make_site(rapi: Rapi, clock: IReactorTime) -> Site:
    """An HTTP factory for a RAPI."""
    site = RapiSite(  # type: ignore[no-untyped-call]
        rapi, reactor=clock, timeout=60
    )
    site.displayTracebacks = False
    return site
