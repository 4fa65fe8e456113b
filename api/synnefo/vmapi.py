"""What clusters fetch and tell while they make a server: ``/vmapi/v1.0``.

The unguessable token in the path is all the authentication there is; every
answer to one that is not good is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any, Protocol
from uuid import UUID

from attrs import evolve, frozen
from msgspec import Meta, Struct

from api.addresses import DIRECT, Peers
from api.dispatch import Served, build
from api.operations import STREAMED, Answer, Streamed, operation
from api.services import Computing
from api.synnefo.faults import DIALECT
from snfd.compute.handoff import Handoffs
from snfd.compute.progress import Report
from storage.download import Reader, Segment, Slice, body_length, whole
from storage.ranges import Map, Span, requested

MOUNT = "/vmapi/v1.0"

VMAPI = evolve(DIALECT, title="Synnefo vmapi")


class Content(Protocol):
    """An image's data: how long, which blocks, and the hash of it all."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    @property
    def block_size(self) -> int:
        """Length of every block but the last, in bytes."""

    @property
    def digests(self) -> Sequence[bytes]:
        """The sha256 of each block."""

    @property
    def sha256(self) -> str:
        """Of the whole, in hex."""


class Images(Protocol):
    """What is needed of the image service."""

    def content(self, ident: UUID) -> Awaitable[Content]:
        """The data of an image.

        :raises NotFound: no such image.
        :raises Conflict: it has no data yet.
        """


class Services(Computing, Protocol):
    """What this API needs of the cloud."""

    @property
    def images(self) -> Images:
        """Images."""

    @property
    def reader(self) -> Reader:
        """Sends blocks."""


Text = Annotated[str, Meta(max_length=65_536)]


class Told(Struct):
    """What an OS definition tells of a build, as snf-image's monitor writes it."""

    type: Annotated[str, Meta(max_length=40)]
    subtype: Annotated[str, Meta(max_length=40)] = ""
    progress: float | None = None
    task: Annotated[str, Meta(max_length=100)] = ""
    messages: Annotated[list[Text], Meta(max_length=100)] = []
    stderr: Text = ""
    event_time: float | None = None

    def report(self) -> Report:
        """The same for the service."""
        return Report(
            self.type,
            self.subtype,
            self.progress,
            self.task,
            self.messages,
            self.stderr,
            self.event_time,
        )


@frozen(eq=False)
class HandoffApi:
    """Images and parameters for new servers, each once, and how builds go."""

    handoffs: Handoffs
    images: Images
    reader: Reader
    peers: Peers

    @operation("GET", "/image/<token>", auth=False, raw=True, head=False)
    async def image(self, token: str, request: Any) -> Answer[bytes] | Streamed:
        """The bytes of a server's image, or those that a ``Range`` names."""
        transfer = await self.handoffs.begin(token, self._peer(request))
        content = await self.images.content(transfer.image)
        span = wanted(request.getHeader("range"), content.size)
        body = _body(content, span)
        _head(request, content, span, body_length(body))
        if await self.reader.send(request, body):
            if span is None or span.stop == content.size:
                await self.handoffs.complete(transfer)
            request.finish()
        return STREAMED

    @operation("GET", "/server-params/<token>", auth=False, raw=True, head=False)
    async def parameters(self, token: str, request: Any) -> Answer[dict[str, str]]:
        """The parameters of a server."""
        told = await self.handoffs.document(token, self._peer(request))
        return Answer(dict(told), headers={"Cache-Control": "no-store"})

    @operation("POST", "/progress/<token>", body=Told, auth=False, status=204)
    async def progress(self, token: str, body: Told) -> None:
        """How a server's build goes, or what went wrong with it."""
        await self.handoffs.reports.take(token, body.report())

    def _peer(self, request: Any) -> str | None:
        return self.peers.address(request) or None


def wanted(header: str | None, size: int) -> Span | None:
    """The one span that a ``Range`` header asks for; None for the whole.

    :raises RangeUnsatisfiable: no byte that it asks for exists.
    """
    spans = requested(header, size) if header else None
    return spans[0] if spans is not None and len(spans) == 1 else None


def _body(content: Content, span: Span | None) -> Sequence[Segment]:
    blocks = Map(content.digests, content.block_size, content.size)
    return whole(blocks) if span is None else [Slice(blocks, span)]


def _head(request: Any, content: Content, span: Span | None, length: int) -> None:
    request.setResponseCode(200 if span is None else 206)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(length),
        "X-Content-SHA256": content.sha256,
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
    }
    if span is not None:
        headers["Content-Range"] = span.content_range(content.size)
    for name, value in headers.items():
        request.setHeader(name.encode(), value.encode())


def resource(cloud: Services, peers: Peers = DIRECT) -> Served:
    """What is mounted on ``/vmapi/v1.0``."""
    api = HandoffApi(cloud.compute.handoffs, cloud.images, cloud.reader, peers)
    return build(VMAPI, cloud.authenticator, api)
