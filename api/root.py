"""The root of the main listener: mounts, request ids, access log, metrics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from attrs import frozen
from twisted.logger import Logger
from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import Request
from zope.interface import implementer

from api.addresses import DIRECT, Peers
from api.cors import NOBODY, Cors
from api.dispatch import Served
from api.openapi import document
from api.page import Page
from api.shown import method_of, shown
from snfd.clock import Seconds
from snfd.errors import Invalid
from snfd.observe import Metrics, RequestScope, new_request_id
from snfd.plugin import Mount

_log = Logger(namespace="api.access")
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "COPY", "MOVE", "OPTIONS")
)


@frozen(eq=False)
class _Place:
    segments: tuple[bytes, ...]
    mount: Mount


@implementer(IResource)
class Root(Resource):
    """Hands each request to the mount with the longest matching path.

    :param peers: tells clients' addresses, for the audit trail.
    :param cors: which other sites' pages may call the APIs.
    :raises Invalid: two mounts are on one path.
    """

    isLeaf = True

    def __init__(
        self,
        mounts: Sequence[Mount],
        metrics: Metrics,
        clock: Seconds,
        peers: Peers = DIRECT,
        cors: Cors = NOBODY,
    ) -> None:
        Resource.__init__(self)
        self._peers = peers
        self._cors = cors
        self._metrics = metrics
        self._counters: dict[tuple[str, str, int], Any] = {}
        self._timers: dict[str, Any] = {}
        self._clock = clock
        self._places: dict[bytes, list[_Place]] = {}
        taken: set[str] = set()
        for mount in mounts:
            if mount.path in taken:
                raise Invalid(f"two plugins are mounted on {mount.path}")
            taken.add(mount.path)
            segments = tuple(mount.path.strip("/").encode().split(b"/"))
            self._places.setdefault(segments[0], []).append(_Place(segments, mount))
        for places in self._places.values():
            places.sort(key=lambda place: -len(place.segments))

    def render(self, request: Request) -> Any:
        """Find the mount, give the request its id, and watch it end."""
        ident = new_request_id()
        request.setHeader(b"X-Openstack-Request-Id", ident.encode())
        path = request.postpath or []
        place = self._place(path)
        dialect = place.mount.dialect if place is not None else ""
        self._watch(request, ident, dialect)
        if place is None:
            request.setResponseCode(404)
            request.setHeader(b"Content-Type", b"application/json")
            return b'{"itemNotFound": {"code": 404, "message": "no such path"}}'
        if dialect and self._cors.answers(request):
            return b""
        count = len(place.segments)
        request.prepath = [*(request.prepath or []), *path[:count]]
        del path[:count]
        with RequestScope(ident, partial(self._peers.address, request)):
            return getChildForRequest(place.mount.resource, request).render(request)

    def _place(self, path: list[bytes]) -> _Place | None:
        first = path[0] if path else b""
        for place in self._places.get(first, ()):
            if tuple(path[: len(place.segments)]) == place.segments:
                return place
        return None

    def _watch(self, request: Request, ident: str, dialect: str) -> None:
        started = self._clock.seconds()

        def ended(result: object) -> None:
            seconds = self._clock.seconds() - started
            method = request.method.decode("ascii", "replace")
            status = request.code if result is None else 499
            self._counter(dialect, method, status).inc()
            self._timer(dialect).observe(seconds)
            _log.info(
                "{method} {path} {status}",
                method=method_of(request.method),
                path=shown(request.uri),
                status=status,
                milliseconds=round(seconds * 1000, 1),
                peer=getattr(request.getClientAddress(), "host", ""),
                request_id=ident,
            )

        request.notifyFinish().addBoth(ended)

    def _counter(self, dialect: str, method: str, status: int) -> Any:
        """What counts such answers; methods that nothing serves are one."""
        key = dialect, method if method in _METHODS else "other", status
        found = self._counters.get(key)
        if found is None:
            labels = (*key[:2], str(status))
            found = self._counters[key] = self._metrics.requests.labels(*labels)
        return found

    def _timer(self, dialect: str) -> Any:
        found = self._timers.get(dialect)
        if found is None:
            found = self._timers[dialect] = self._metrics.seconds.labels(dialect)
        return found


class Redirect(Page):
    """``/`` leads people to the web pages."""

    def __init__(self) -> None:
        Page.__init__(self)

    def render_GET(self, request: Request) -> bytes:
        """Send the browser on."""
        request.redirect(b"/ui/")
        return b""


class Documents(Page):
    """``/openapi/<dialect>.json`` of everything that is mounted."""

    def __init__(self, mounts: Sequence[Mount]) -> None:
        Page.__init__(self)
        self._bodies = {
            f"{dialect}.json".encode(): msgspec.json.encode(described)
            for dialect, described in documents(mounts).items()
        }

    def render_GET(self, request: Request) -> bytes:
        """One dialect's document."""
        request.setHeader(b"Content-Type", b"application/json")
        body = self._bodies.get(b"/".join(request.postpath or []))
        if body is None:
            request.setResponseCode(404)
            known = ", ".join(sorted(name.decode() for name in self._bodies))
            return msgspec.json.encode({"message": f"there are: {known}"})
        return body


def documents(mounts: Sequence[Mount]) -> dict[str, dict[str, Any]]:
    """The OpenAPI document of each dialect among ``mounts``."""
    found: dict[str, list[tuple[str, Any, Any]]] = {}
    for mount in mounts:
        resource = mount.resource
        if isinstance(resource, Served):
            found.setdefault(mount.dialect, []).append(
                (mount.path, resource.dialect, resource.operations)
            )
    return {
        dialect: document(f"snfd, {dialect} dialect", mounted)
        for dialect, mounted in found.items()
    }


def check(mounts: Sequence[Mount]) -> None:
    """Refuse mounts whose paths are not well formed.

    :raises Invalid: a path does not start with, or ends in, a slash.
    """
    for mount in mounts:
        if not mount.path.startswith("/") or mount.path.endswith("/"):
            raise Invalid(f"{mount.path!r} is no mount path")
