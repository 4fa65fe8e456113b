"""Content that something besides a name holds on to (images, later volumes)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import NotFound
from snfd.objects.service.accounting import Charge
from snfd.objects.service.versions import discard
from snfd.objects.store import maps
from snfd.objects.store import objects as store


@frozen
class Pinned:
    """A frozen list of blocks.

    :ivar digests: sha256 of each block in order; see `Content`.
    """

    size: int
    block_size: int
    digests: Sequence[bytes]


async def pin(tx: Transaction, map_id: int) -> None:
    """Hold on to a map, whatever becomes of its names."""
    await maps.keep(tx, map_id)


async def unpin(tx: Transaction, map_id: int) -> None:
    """Let go of a map."""
    await maps.release(tx, map_id)


async def pinned(db: Database, map_id: int) -> Pinned:
    """The blocks of a map that something holds on to.

    :raises NotFound: nothing did.
    """
    rows = await db.read(store.MAP, (map_id,))
    if not rows:
        raise NotFound("the content is gone")
    size, block_size, joined = rows[0]
    return Pinned(size, block_size, maps.slots(joined))


async def discard_by_id(
    tx: Transaction, charge: Charge, object_id: int, user: UUID, moment: datetime
) -> None:
    """As `discard`, for an object whose name may have changed.

    :raises NotFound: it is gone already.
    """
    path = await store.path_of(tx, object_id)
    if path is None:
        raise NotFound("no such object")
    await discard(tx, charge, path, user, moment)
