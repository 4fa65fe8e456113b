"""Objects in the Swift dialect."""

from __future__ import annotations

from collections.abc import Awaitable
from mimetypes import guess_type

from attrs import evolve, frozen
from twisted.web.http_headers import Headers

from api.dispatch import Authenticator
from api.objects import headers as http
from api.objects import paths
from api.objects.dispatch import Call, Result, Route, refuse, token
from api.objects.paths import Target
from api.objects.reading import ObjectReader
from api.objects.streams import Opened, check_etag, expected_length
from api.objects.swift import views
from api.objects.swift.accounts import PREFIX
from api.objects.swift.containers import truth
from api.objects.swift.copying import CopyApi
from api.operations import Answer
from snfd.errors import NotImplementedHere
from snfd.objects.model import MAX_UPLOAD, Described
from snfd.objects.rules import SWIFT_META, check_meta
from snfd.objects.service import ObjectStore, Revision
from storage.upload import Sink
from storage.writer import Writer

LATER = ("x-delete-at", "x-delete-after", "x-object-manifest", "x-symlink-target")
"""Headers whose neglect would surprise: refused until they are served."""

DEFAULT_TYPE = "application/octet-stream"


@frozen(eq=False)
class ObjectsApi:
    """What can be done with objects."""

    _store: ObjectStore
    _reader: ObjectReader
    _writer: Writer
    _authenticator: Authenticator
    _copies: CopyApi

    def routes(self) -> list[Route]:
        """All of it."""
        return [
            Route("object", "HEAD", self.head),
            Route("object", "GET", self.get, bytes, also={206: bytes}),
            Route("object", "PUT", self.put, status=201, accepts={"*/*": bytes}),
            Route("object", "POST", self.describe, status=202),
            Route("object", "DELETE", self.delete, status=204),
        ]

    def open(
        self, method: str, target: Target, args: frozenset[str], headers: Headers
    ) -> Awaitable[Sink] | None:
        """Decide on the body of a PUT (`api.objects.streams.BodyOpener`)."""
        streams = method == "PUT" and target.level == "object"
        if not streams or "multipart-manifest" in args:
            return None
        if http.one(headers, "x-copy-from") is not None:
            return None
        return self._open(target, headers)

    async def head(self, call: Call) -> Result:
        """What is known of an object, without its bytes."""
        path = paths.object_(call.target, PREFIX)
        info = await self._store.objects.info(call.caller, path)
        info = await self._store.checksums.filled(info)
        return self._reader.head(call, info, views.object_headers(info))

    async def get(self, call: Call) -> Result:
        """The bytes of an object, or a range of them."""
        path = paths.object_(call.target, PREFIX)
        content = await self._store.objects.content(call.caller, path)
        info = await self._store.checksums.filled(content.info)
        content = evolve(content, info=info)
        return await self._reader.get(call, content, views.object_headers(info))

    async def put(self, call: Call) -> Result:
        """Make an object of the body, or a new version of it."""
        if call.header("x-copy-from") is not None:
            return await self._copies.put(call)
        if call.stream is None:
            raise NotImplementedHere("manifests are not served by this cloud yet")
        content = call.stream.content
        check_etag(call.headers, content)
        made = await self._store.uploads.finish(
            call.stream.opened.plan, content, described(call.headers, call.target)
        )
        headers = views.object_headers(made.info)
        return Answer(
            None, 201, {name: headers[name] for name in ("Etag", "Last-Modified")}
        )

    async def describe(self, call: Call) -> Result:
        """Replace the metadata of an object."""
        refuse(call.headers, LATER)
        path = paths.object_(call.target, PREFIX)
        revision = Revision(
            SWIFT_META,
            user=http.metadata(call.headers, "x-object-meta-", views.CODEC),
            http=http.http_meta(call.headers, views.CODEC),
            ctype=http.content_type(call.headers),
            replace_user=True,
        )
        await self._store.objects.describe(call.caller, path, revision)
        return Answer(None, 202)

    async def delete(self, call: Call) -> Result:
        """Remove an object."""
        path = paths.object_(call.target, PREFIX)
        await self._store.objects.delete(
            call.caller, path, http.conditions(call.headers)
        )
        return Answer(None, 204)

    async def _open(self, target: Target, headers: Headers) -> Sink:
        caller = await self._authenticator(token(headers))
        refuse(headers, LATER)
        size = expected_length(headers)
        described(headers, target)
        begun = await self._store.uploads.begin(
            caller, paths.object_(target, PREFIX), size, http.conditions(headers)
        )
        return self._writer.open(
            md5=True, limit=MAX_UPLOAD, context=Opened(caller, begun)
        )


def described(headers: Headers, target: Target) -> Described:
    """What the headers of a PUT say about the object.

    :raises Invalid: metadata out of bounds.
    """
    ctype = http.content_type(headers)
    if ctype is None or truth(http.one(headers, "x-detect-content-type") or ""):
        ctype = guess_type(target.name)[0] or DEFAULT_TYPE
    user = http.metadata(headers, "x-object-meta-", views.CODEC)
    check_meta(user, SWIFT_META)
    found = http.http_meta(headers, views.CODEC)
    return Described(ctype, user, {key: value for key, value in found.items() if value})
