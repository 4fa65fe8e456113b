"""Objects in the Pithos dialect."""

from __future__ import annotations

from collections.abc import Awaitable

from attrs import evolve, frozen
from msgspec import Struct, field
from twisted.web.http_headers import Headers

from api.dispatch import Authenticator
from api.objects import headers as http
from api.objects import listing, paths
from api.objects.dispatch import Call, Result, Route, refuse, refuse_keys, token
from api.objects.listing import Format
from api.objects.paths import Target
from api.objects.pithos import hashmaps, views
from api.objects.pithos.accounts import tilde
from api.objects.pithos.copying import FROM, CopyApi
from api.objects.reading import ObjectReader
from api.objects.streams import Opened, check_etag, expected_length, wants_md5
from api.operations import Answer
from api.synnefo.faults import FaultBody
from snfd.errors import LengthRequired, NotImplementedHere
from snfd.objects import conditions
from snfd.objects.model import MAX_UPLOAD, Committed, Content, Described, ObjectInfo
from snfd.objects.rules import PITHOS_META, check_meta
from snfd.objects.service import ObjectStore, Revision
from storage.upload import Sink
from storage.writer import Writer

LATER = ("x-object-sharing", "x-object-public", "x-object-manifest", "x-source-object")
"""Headers whose neglect would surprise: refused until they are served."""

VERSIONS = ("version", "until")

BYTES = "application/octet-stream"


class Shown(Struct):
    """The keys of the query string that a GET looks at."""

    hashmap: str = ""
    format: str = ""
    disposition_type: str = field(default="", name="disposition-type")


class Given(Struct):
    """The keys of the query string that a PUT looks at."""

    hashmap: str = ""
    format: str = ""


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
            Route("object", "GET", self.get, bytes, query=Shown, also={206: bytes}),
            Route(
                "object",
                "PUT",
                self.put,
                status=201,
                also={409: list[str] | dict[str, FaultBody]},
                query=Given,
                accepts={"*/*": bytes},
            ),
            Route("object", "POST", self.describe, status=202),
            Route("object", "DELETE", self.delete, status=204),
        ]

    def open(
        self, method: str, target: Target, args: frozenset[str], headers: Headers
    ) -> int | Awaitable[Sink] | None:
        """Decide on the body of a PUT (`api.objects.streams.BodyOpener`)."""
        if method != "PUT" or any(http.one(headers, name) for name in FROM):
            return None
        return hashmaps.LIMIT if "hashmap" in args else self._open(target, headers)

    async def head(self, call: Call) -> Result:
        """What is known of an object, without its bytes."""
        refuse_keys(call.args, VERSIONS)
        path = paths.object_(call.target, "")
        info = await self._store.objects.info(call.caller, path)
        info = await self._judged(call, info)
        return self._reader.head(call, info, shown(call, info))

    async def get(self, call: Call) -> Result:
        """The bytes of an object, or a range of them, or its blocks' hashes."""
        refuse_keys(call.args, VERSIONS)
        path = paths.object_(call.target, "")
        content = await self._store.objects.content(call.caller, path)
        if call.flag("hashmap"):
            return blocks(call, content)
        info = await self._judged(call, content.info)
        content = evolve(content, info=info)
        return await self._reader.get(call, content, shown(call, info))

    async def put(self, call: Call) -> Result:
        """Make an object of the body, or of blocks that are named in it."""
        if any(call.header(name) for name in FROM):
            return await self._copies.put(call)
        if call.stream is None:
            return await self._claim(call)
        content = call.stream.content
        check_etag(call.headers, content)
        begun = call.stream.opened.plan
        wanted = described(call.headers, http.content_type(call.headers) or BYTES)
        made = await self._store.uploads.finish(begun, content, wanted)
        return Answer(None, 201, views.made_headers(made.info))

    async def describe(self, call: Call) -> Result:
        """Change the metadata of an object."""
        refuse(call.headers, LATER)
        if http.content_type(call.headers) == BYTES and call.header("content-range"):
            raise NotImplementedHere("changing parts of an object comes later")
        path = paths.object_(call.target, "")
        replace = not call.flag("update")
        revision = Revision(
            PITHOS_META,
            user=tilde(http.metadata(call.headers, "x-object-meta-", views.CODEC)),
            http=tilde(http.http_meta(call.headers, views.CODEC)),
            replace_user=replace,
            replace_http=replace,
        )
        info = await self._store.objects.describe(
            call.caller, path, revision, http.conditions(call.headers)
        )
        return Answer(None, 202, {"X-Object-Version": str(info.serial)})

    async def delete(self, call: Call) -> Result:
        """Remove an object."""
        refuse_keys(call.args, ("until", "delimiter"))
        path = paths.object_(call.target, "")
        await self._store.objects.delete(
            call.caller, path, http.conditions(call.headers)
        )
        return Answer(None, 204)

    async def _judged(self, call: Call, info: ObjectInfo) -> ObjectInfo:
        """``info`` with its MD5 if the request's conditions speak of one."""
        if conditions.wants_md5(http.conditions(call.headers)):
            return await self._store.checksums.filled(info)
        return info

    async def _claim(self, call: Call) -> Result:
        refuse(call.headers, LATER)
        path = paths.object_(call.target, "")
        content = hashmaps.decoded(call, self._writer.block_size)
        check_etag(call.headers, content)
        wanted = described(call.headers, http.content_type(call.headers) or BYTES)
        begun = await self._store.uploads.begin(
            call.caller, path, content.size, http.conditions(call.headers)
        )
        made = await self._store.uploads.claim(begun, content, wanted)
        if isinstance(made, Committed):
            return Answer(None, 201, views.made_headers(made.info))
        body = views.digests(made, Format.JSON)
        return Answer(body, 409, {"Content-Type": Format.JSON.content_type})

    async def _open(self, target: Target, headers: Headers) -> Sink:
        caller = await self._authenticator(token(headers))
        refuse(headers, LATER)
        size = expected_length(headers)
        ctype = http.content_type(headers)
        if ctype is None:
            raise LengthRequired("an object needs a Content-Type")
        described(headers, ctype)
        begun = await self._store.uploads.begin(
            caller, paths.object_(target, ""), size, http.conditions(headers)
        )
        md5 = wants_md5(headers)
        return self._writer.open(
            md5=md5, limit=MAX_UPLOAD, context=Opened(caller, begun)
        )


def shown(call: Call, info: ObjectInfo) -> dict[str, str]:
    """The headers of an object, with a name for the file that it is saved as."""
    kind = call.args.get("disposition-type", "")
    name = info.path.name
    headers = views.object_headers(info)
    if kind in ("inline", "attachment"):
        headers["Content-Disposition"] = http.disposition(kind, name)
    headers.setdefault("Content-Disposition", http.disposition("inline", name))
    return headers


def blocks(call: Call, content: Content) -> Result:
    """The hashes of an object's blocks."""
    kind = listing.chosen(call.args, call.header("accept"), Format.JSON)
    kind = Format.JSON if kind is Format.TEXT else kind
    headers = {
        **views.object_headers(content.info),
        "Content-Type": kind.content_type,
    }
    headers.pop("Content-Encoding", None)
    return Answer(views.hashmap(content, kind), 200, headers)


def described(headers: Headers, ctype: str) -> Described:
    """What the headers of a PUT say about the object.

    :raises Invalid: metadata out of bounds.
    """
    user = tilde(http.metadata(headers, "x-object-meta-", views.CODEC))
    user = {key: value for key, value in user.items() if value}
    check_meta(user, PITHOS_META)
    found = tilde(http.http_meta(headers, views.CODEC))
    return Described(ctype, user, {key: value for key, value in found.items() if value})
