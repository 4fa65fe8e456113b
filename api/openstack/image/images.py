"""The image service's operations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import frozen
from twisted.web.iweb import IRequest

from api.decoding import decode_json
from api.objects.paths import all_arguments
from api.objects.reading import ObjectReader, planned
from api.objects.streams import streamed
from api.openstack.image import requests, views
from api.operations import Answer, Streamed, operation
from snfd.errors import BadMediaType, Invalid, NotFound
from snfd.identity.model import Caller
from snfd.image.model import Sums
from snfd.image.service import Images
from snfd.image.uploads import ImageUpload, ImageUploads
from storage.ranges import Map
from storage.upload import sink_of

BYTES = "application/octet-stream"

PATCHES = (
    "application/openstack-images-v2.1-json-patch",
    "application/openstack-images-v2.0-json-patch",
    "application/json-patch+json",
)


@frozen(eq=False)
class ImagesApi:
    """Images: make, show, change, remove."""

    _images: Images

    @operation("GET", "/v2/images", raw=True)
    async def list(self, caller: Caller, request: Any) -> views.ImageList:
        """One page of images."""
        args = all_arguments(request.uri)
        query = requests.query(args)
        found = await self._images.list(caller, query)
        return views.page(found, query.limit, args)

    @operation("POST", "/v2/images", body=dict[str, Any], status=201)
    async def create(
        self, caller: Caller, body: dict[str, Any]
    ) -> Answer[views.ImageBody]:
        """Enter an image without data."""
        details, ident = requests.created(body)
        image = await self._images.create(caller, details, ident)
        return Answer(
            views.image(image), headers={"Location": f"/v2/images/{image.id}"}
        )

    @operation("GET", "/v2/images/<image>")
    async def show(self, caller: Caller, image: UUID) -> views.ImageBody:
        """One image."""
        return views.image(await self._images.show(caller, image))

    @operation(
        "PATCH",
        "/v2/images/<image>",
        raw=True,
        accepts=dict.fromkeys(PATCHES, requests.Patch),
    )
    async def update(
        self, caller: Caller, image: UUID, request: Any
    ) -> views.ImageBody:
        """Change what the owner may set."""
        kind = (request.getHeader("content-type") or "").partition(";")[0].strip()
        if kind not in PATCHES:
            raise BadMediaType(f"a change is sent as {PATCHES[0]}")
        steps = decode_json(request.content.read(), requests.Patch)
        changed = await self._images.update(caller, image, requests.patched(steps))
        return views.image(changed)

    @operation("DELETE", "/v2/images/<image>", status=204)
    async def delete(self, caller: Caller, image: UUID) -> None:
        """Remove an image with its data."""
        await self._images.delete(caller, image)


@frozen(eq=False)
class TagsApi:
    """Tags and members of an image."""

    _images: Images

    @operation("PUT", "/v2/images/<image>/tags/<tag>", status=204)
    async def add(self, caller: Caller, image: UUID, tag: str) -> None:
        """Set a tag."""
        await self._images.update(caller, image, requests.tagged(tag, there=True))

    @operation("DELETE", "/v2/images/<image>/tags/<tag>", status=204)
    async def remove(self, caller: Caller, image: UUID, tag: str) -> None:
        """Take a tag away."""
        found = await self._images.show(caller, image)
        if tag not in found.details.tags:
            raise NotFound(f"the image has no tag {tag!r}")
        await self._images.update(caller, image, requests.tagged(tag, there=False))

    @operation("GET", "/v2/images/<image>/members")
    async def members(self, caller: Caller, image: UUID) -> views.Members:
        """Projects that an image is shared with: none yet."""
        await self._images.show(caller, image)
        return views.Members([])


@frozen(eq=False)
class DataApi:
    """The data of images."""

    _images: Images
    _uploads: ImageUploads
    _reader: ObjectReader

    @operation(
        "PUT",
        "/v2/images/<image>/file",
        raw=True,
        status=204,
        accepts={BYTES: bytes},
    )
    async def upload(self, caller: Caller, image: UUID, request: IRequest) -> None:
        """Fill an image with the body."""
        stream = await streamed(request)
        if stream is None:
            raise Invalid("the data did not come as a stream")
        begun: ImageUpload = stream.opened.plan
        sink, md5 = sink_of(request), stream.content.md5
        assert md5 is not None
        sums = Sums(md5, sink.sha256, sink.sha512)
        await self._uploads.finish(begun, stream.content, sums)

    @operation("GET", "/v2/images/<image>/file", raw=True, also={204: None, 206: bytes})
    async def download(
        self, caller: Caller, image: UUID, request: Any
    ) -> Answer[bytes] | Streamed:
        """The data of an image, or a range of it."""
        found = await self._images.show(caller, image)
        if found.sums is None:
            return Answer(b"", 204)
        content = await self._images.content(image)
        blocks = Map(content.digests, content.block_size, content.size)
        plan = planned(request.getHeader("range"), blocks, BYTES, content.sha256)
        headers = {"Content-MD5": found.sums.md5.hex()}
        return await self._reader.send(request, plan, headers)


@frozen(eq=False)
class AboutApi:
    """What clients want to know before they start.

    :ivar base: URL of the image service, without a slash at its end.
    """

    _base: str

    @operation("GET", "/", auth=False, status=300)
    async def versions(self) -> views.Versions:
        """The versions there are."""
        return views.versions(self._base)

    @operation("GET", "/versions", auth=False, status=200)
    async def same_versions(self) -> views.Versions:
        """The versions there are, for clients that do not like status 300."""
        return views.versions(self._base)

    @operation("GET", "/v2", auth=False, status=300)
    async def below(self) -> views.Versions:
        """The versions there are."""
        return views.versions(self._base)

    @operation("GET", "/v2/schemas/<name>")
    async def schema(self, caller: Caller, name: str) -> views.Shape:
        """The shape of an answer."""
        if name not in views.SCHEMAS:
            raise NotFound(f"no schema {name!r}")
        return views.SCHEMAS[name]

    @operation("GET", "/v2/info/stores")
    async def stores(self, caller: Caller) -> views.Stores:
        """Where images are kept."""
        return views.Stores([{"id": "blocks", "default": "true"}])

    @operation("GET", "/v2/info/import")
    async def imports(self, caller: Caller) -> views.ImportInfo:
        """How data can come besides an upload: not at all."""
        methods = views.Methods("Ways to bring data in", "array", [])
        return views.ImportInfo(methods)
