"""What clusters fetch while they make a server: ``/vmapi/v1.0``.

The unguessable token in the path is all the authentication there is; every
answer to one that is not good is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol
from uuid import UUID

from attrs import evolve, frozen

from api.dispatch import Served, build
from api.operations import STREAMED, Answer, Streamed, operation
from api.services import Computing
from api.synnefo.faults import DIALECT
from snfd.compute.handoff import Handoffs
from storage.download import Reader, body_length, whole
from storage.ranges import Map

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


@frozen(eq=False)
class HandoffApi:
    """Images and parameters for new servers, each once."""

    handoffs: Handoffs
    images: Images
    reader: Reader

    @operation("GET", "/image/<token>", auth=False, raw=True)
    async def image(self, token: str, request: Any) -> Answer[bytes] | Streamed:
        """The bytes of a new server's image."""
        transfer = await self.handoffs.begin(token)
        content = await self.images.content(transfer.image)
        body = whole(Map(content.digests, content.block_size, content.size))
        request.setResponseCode(200)
        request.setHeader(b"Content-Type", b"application/octet-stream")
        request.setHeader(b"Content-Length", str(body_length(body)).encode())
        request.setHeader(b"X-Content-SHA256", content.sha256.encode())
        request.setHeader(b"Cache-Control", b"no-store")
        if await self.reader.send(request, body):
            await self.handoffs.complete(transfer)
            request.finish()
        return STREAMED

    @operation("GET", "/server-params/<token>", auth=False)
    async def parameters(self, token: str) -> dict[str, str]:
        """The parameters of a new server."""
        return dict(await self.handoffs.document(token))


def resource(cloud: Services) -> Served:
    """What is mounted on ``/vmapi/v1.0``."""
    handoffs = cloud.compute.handoffs
    api = HandoffApi(handoffs, cloud.images, cloud.reader)
    return build(VMAPI, cloud.authenticator, api)
