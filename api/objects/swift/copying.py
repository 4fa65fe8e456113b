"""Server-side copies in the Swift dialect."""

from __future__ import annotations

from urllib.parse import quote

from attrs import frozen

from api.objects import headers as http
from api.objects import paths
from api.objects.dispatch import Call, Result, Route, refuse
from api.objects.paths import Target
from api.objects.swift import views
from api.objects.swift.accounts import PREFIX
from api.objects.swift.containers import truth
from api.operations import Answer
from api.times import http_date
from snfd.errors import CloudError, Invalid, PreconditionFailed
from snfd.objects.model import Committed, ObjectInfo, ObjectPath
from snfd.objects.rules import SWIFT_META
from snfd.objects.service import Copy, ObjectStore, Revision

LATER = ("x-delete-at", "x-delete-after", "x-object-manifest", "x-symlink-target")
"""Headers whose neglect would surprise: refused until they are served."""


@frozen(eq=False)
class CopyApi:
    """``COPY``, and ``PUT`` with ``X-Copy-From``."""

    _store: ObjectStore

    def routes(self) -> list[Route]:
        """All of it."""
        return [Route("object", "COPY", self.copy, status=201)]

    async def copy(self, call: Call) -> Result:
        """Copy an object to the path in ``Destination``."""
        source = paths.object_(call.target, PREFIX)
        where = call.header("destination")
        other = call.header("destination-account")
        destination = _named(call.target, where, other)
        copy = Copy(
            source,
            destination,
            _revision(call),
            expected=http.conditions(call.headers),
        )
        return await self._make(call, copy)

    async def put(self, call: Call) -> Result:
        """Make an object of the one that ``X-Copy-From`` names."""
        if http.content_length(call.headers):
            raise Invalid("a copy has no body")
        source = _named(
            call.target, call.header("x-copy-from"), call.header("x-copy-from-account")
        )
        copy = Copy(
            source,
            paths.object_(call.target, PREFIX),
            _revision(call),
            conditions=http.conditions(call.headers),
        )
        return await self._make(call, copy)

    async def _make(self, call: Call, copy: Copy) -> Result:
        refuse(call.headers, LATER)
        source, made = await self._store.copies.make(call.caller, copy)
        return Answer(None, 201, _headers(source, made))


def _named(target: Target, text: str | None, other: str | None) -> ObjectPath:
    """The object that a header names, by default in the URL's account.

    :raises PreconditionFailed: it names none.
    """
    try:
        container, name = paths.pair(text or "")
    except CloudError as error:
        raise PreconditionFailed(f"/container/object expected: {error}") from None
    account = f"{PREFIX}{other.removeprefix(PREFIX)}" if other else target.account
    return ObjectPath(paths.account(Target(account), PREFIX), container, name)


def _revision(call: Call) -> Revision:
    return Revision(
        SWIFT_META,
        user=http.metadata(call.headers, "x-object-meta-", views.CODEC),
        http=http.http_meta(call.headers, views.CODEC),
        ctype=http.content_type(call.headers),
        replace_user=truth(call.header("x-fresh-metadata") or ""),
    )


def _headers(source: ObjectInfo, made: Committed) -> dict[str, str]:
    headers = views.object_headers(made.info)
    path = source.path
    return {
        "Etag": headers["Etag"],
        "Last-Modified": headers["Last-Modified"],
        "X-Copied-From": quote(f"{path.container}/{path.name}"),
        "X-Copied-From-Account": f"{PREFIX}{path.account}",
        "X-Copied-From-Last-Modified": http_date(source.mtime),
    }
