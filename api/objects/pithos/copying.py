"""Copies and moves in the Pithos dialect (``spec/pithos.md`` §2.10)."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from api.objects import headers as http
from api.objects import paths
from api.objects.dispatch import Call, Result, Route, refuse, refuse_keys
from api.objects.paths import Target
from api.objects.pithos import views
from api.objects.pithos.accounts import tilde
from api.operations import Answer
from snfd.errors import Invalid, LengthRequired
from snfd.objects.model import ObjectPath
from snfd.objects.rules import PITHOS_META
from snfd.objects.service import Copy, ObjectStore, Revision

LATER = ("x-object-sharing", "x-object-public", "x-object-manifest", "x-source-version")
"""Headers whose neglect would surprise: refused until they are served."""

FROM = ("x-copy-from", "x-move-from")


@frozen(eq=False)
class CopyApi:
    """``COPY``, ``MOVE``, and ``PUT`` with ``X-Copy-From`` or ``X-Move-From``."""

    _store: ObjectStore

    def routes(self) -> list[Route]:
        """All of it."""
        return [
            Route("object", "COPY", self.copy, status=201),
            Route("object", "MOVE", self.move, status=201),
        ]

    async def copy(self, call: Call) -> Result:
        """Copy an object to the path in ``Destination``."""
        return await self._away(call, move=False)

    async def move(self, call: Call) -> Result:
        """Move an object to the path in ``Destination``."""
        return await self._away(call, move=True)

    async def put(self, call: Call) -> Result:
        """Make an object of the one that a header names."""
        length = http.content_length(call.headers)
        if length is None:
            raise LengthRequired("a copy needs Content-Length: 0")
        if length:
            raise Invalid("a copy has no body")
        move = call.header("x-move-from")
        where = move or call.header("x-copy-from")
        source = _named(call, where, call.header("x-source-account"))
        copy = Copy(
            source,
            paths.object_(call.target, ""),
            _revision(call),
            conditions=http.conditions(call.headers),
            move=move is not None,
        )
        return await self._make(call, copy)

    async def _away(self, call: Call, move: bool) -> Result:
        destination = _named(
            call, call.header("destination"), call.header("destination-account")
        )
        copy = Copy(
            paths.object_(call.target, ""),
            destination,
            _revision(call),
            expected=http.conditions(call.headers),
            move=move,
        )
        return await self._make(call, copy)

    async def _make(self, call: Call, copy: Copy) -> Result:
        refuse(call.headers, LATER)
        refuse_keys(call.args, ("delimiter",))
        _, made = await self._store.copies.make(call.caller, copy)
        return Answer(None, 201, views.made_headers(made.info))


def _named(call: Call, text: str | None, other: str | None) -> ObjectPath:
    """The object that a header names, by default in the caller's own account.

    :raises Invalid: it names none.
    """
    if not text or not text.startswith("/"):
        raise Invalid("/container/object expected")
    container, name = paths.pair(text)
    account: UUID = call.caller.user
    if other:
        account = paths.account(Target(other), "")
    return ObjectPath(account, container, name)


def _revision(call: Call) -> Revision:
    ctype = http.content_type(call.headers)
    return Revision(
        PITHOS_META,
        user=tilde(http.metadata(call.headers, "x-object-meta-", views.CODEC)),
        http=tilde(http.http_meta(call.headers, views.CODEC)),
        ctype=None if call.flag("ignore_content_type") else ctype,
    )
