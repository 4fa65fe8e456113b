"""Rows of objects and their versions."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen

from snfd.db.port import Jsonb, Row, Statement, Transaction
from snfd.objects.model import (
    Container,
    Content,
    Described,
    ObjectInfo,
    ObjectPath,
)
from snfd.objects.store import containers
from snfd.objects.store.maps import slots

CURRENT, HISTORY, DELETED = 0, 1, 2

_INFO = (
    "o.uuid, v.serial, v.size, m.block_size, m.root, m.md5, m.id,"
    " v.ctype, v.meta, v.mtime, v.muser"
)
_SLOTS = (
    "(SELECT string_agg(p.slots, ''::bytea ORDER BY p.page)"
    " FROM store.map_page p WHERE p.map_id = m.id)"
)

_FIND = (
    " FROM store.container c JOIN store.account a ON a.id = c.account_id"
    " LEFT JOIN store.object o ON o.container_id = c.id AND o.name = $3"
    " LEFT JOIN store.version v ON v.serial = o.cur"
    " LEFT JOIN store.map m ON m.id = v.map_id"
    " WHERE a.uuid = $1 AND c.name = $2"
)

INFO = Statement("store_object_info", f"SELECT {_INFO}{_FIND}")
"""No row: no such container. A row without a serial: no such object."""

CONTENT = Statement("store_object_content", f"SELECT {_INFO}, {_SLOTS}{_FIND}")
"""As `INFO`, with the digests of all blocks behind it."""

PLACE = Statement(
    "store_object_place",
    f"SELECT {_INFO}, c.quota, c.b_cur, c.project,"
    " EXISTS (SELECT FROM store.image i WHERE i.object_id = o.id)"
    f"{_FIND}",
)
"""As `INFO`, with what decides whether an upload may start."""

BLOCKS = Statement(
    "store_map_blocks",
    "SELECT slots FROM store.map_page WHERE map_id = $1 ORDER BY page",
)
"""The pages of a map."""

MAP = Statement(
    "store_map",
    f"SELECT m.size, m.block_size, {_SLOTS} FROM store.map m WHERE m.id = $1",
)
"""A map with the digests of all its blocks."""


@frozen
class Place:
    """A name that somebody wants to upload to.

    :ivar quota: the container's, in bytes; 0 for none.
    :ivar used: bytes of current objects in the container.
    :ivar project: is charged.
    :ivar image: whether the name holds the data of an image.
    """

    info: ObjectInfo | None
    quota: int
    used: int
    project: UUID
    image: bool


@frozen
class Slot:
    """A name in a container, locked until the end of the transaction.

    :ivar info: what has the name now, or None.
    :ivar image: whether the bytes are those of a registered image.
    """

    id: int
    payer: UUID
    info: ObjectInfo | None
    image: bool


def info(path: ObjectPath, row: Row) -> ObjectInfo | None:
    """A row of `INFO`, or None where the name is not in use."""
    if row[1] is None:
        return None
    meta = row[8]
    return ObjectInfo(
        path=path,
        uuid=row[0],
        serial=row[1],
        size=row[2],
        block_size=row[3],
        root=row[4],
        md5=row[5],
        map_id=row[6],
        described=Described(row[7], meta.get("pithos", {}), meta.get("http", {})),
        mtime=row[9],
        changed=row[9],
        modified_by=row[10],
    )


def content(path: ObjectPath, row: Row) -> Content | None:
    """A row of `CONTENT`, or None where the name is not in use."""
    found = info(path, row)
    return None if found is None else Content(found, slots(row[11]))


def place(path: ObjectPath, row: Row) -> Place:
    """A row of `PLACE`."""
    return Place(info(path, row), *row[11:15])


def digests(rows: list[Row]) -> list[bytes]:
    """The rows of `BLOCKS`."""
    return slots(b"".join(row[0] for row in rows))


_ENTER = (
    " ON CONFLICT (container_id, name) DO UPDATE"
    " SET uuid = CASE WHEN o.cur IS NULL THEN excluded.uuid ELSE o.uuid END,"
    " payer = CASE WHEN o.cur IS NULL THEN excluded.payer ELSE o.payer END"
    " RETURNING o.id AS object_id, o.payer, o.cur"
)


async def enter(
    tx: Transaction, path: ObjectPath, uuid: UUID, payer: UUID
) -> tuple[Container, Slot] | None:
    """The container and `lock` on the name in it; None if there is no container."""
    row = await tx.row(
        f"WITH c AS (SELECT {containers.COLUMNS}{containers.JOIN}"
        " WHERE a.uuid = %s AND c.name = %s FOR KEY SHARE OF c),"
        " o AS (INSERT INTO store.object AS o (container_id, name, uuid, payer)"
        f" SELECT c.id, %s, %s, %s FROM c{_ENTER}) SELECT * FROM c, o",
        (path.account, path.container, path.name, uuid, payer),
    )
    if row is None:
        return None
    return containers.container(row), await _slot(tx, path, row[-3:])


async def lock(
    tx: Transaction, container_id: int, path: ObjectPath, uuid: UUID, payer: UUID
) -> Slot:
    """Take hold of a name, which is entered if it is new.

    A name that is not in use gets ``uuid`` and ``payer``.
    """
    row = await tx.row(
        "INSERT INTO store.object AS o (container_id, name, uuid, payer)"
        f" VALUES (%s, %s, %s, %s){_ENTER}",
        (container_id, path.name, uuid, payer),
    )
    assert row is not None
    return await _slot(tx, path, row)


async def current(tx: Transaction, path: ObjectPath) -> ObjectInfo | None:
    """The current version of an object, not locked; or None."""
    row = await tx.row(
        f"SELECT {_INFO} FROM store.object o"
        " JOIN store.container c ON c.id = o.container_id"
        " JOIN store.account a ON a.id = c.account_id"
        " JOIN store.version v ON v.serial = o.cur"
        " JOIN store.map m ON m.id = v.map_id"
        " WHERE a.uuid = %s AND c.name = %s AND o.name = %s",
        (path.account, path.container, path.name),
    )
    return None if row is None else info(path, row)


async def lock_existing(
    tx: Transaction, container_id: int, path: ObjectPath
) -> Slot | None:
    """Take hold of a name that was used at least once, or None."""
    row = await tx.row(
        "SELECT id, payer, cur FROM store.object"
        " WHERE container_id = %s AND name = %s FOR UPDATE",
        (container_id, path.name),
    )
    return None if row is None else await _slot(tx, path, row)


async def path_of(tx: Transaction, ident: int) -> ObjectPath | None:
    """The name of an object, None if there is no such object."""
    row = await tx.row(
        "SELECT a.uuid, c.name, o.name FROM store.object o"
        " JOIN store.container c ON c.id = o.container_id"
        " JOIN store.account a ON a.id = c.account_id WHERE o.id = %s",
        (ident,),
    )
    return None if row is None else ObjectPath(*row)


async def _slot(tx: Transaction, path: ObjectPath, row: Row) -> Slot:
    ident, payer, cur = row
    if cur is None:
        return Slot(ident, payer, None, image=False)
    found = await tx.row(
        f"SELECT {_INFO}, EXISTS (SELECT FROM store.image i WHERE i.object_id = o.id)"
        " FROM store.object o JOIN store.version v ON v.serial = o.cur"
        " JOIN store.map m ON m.id = v.map_id WHERE o.id = %s",
        (ident,),
    )
    assert found is not None
    return Slot(ident, payer, info(path, found), image=found[11])


@frozen
class Version:
    """What a new current version consists of.

    :ivar source: serial of the version it was made from, or None.
    """

    map_id: int
    size: int
    described: Described
    modified_by: UUID
    now: datetime
    source: int | None = None


async def retire(tx: Transaction, old: ObjectInfo, keep: bool) -> None:
    """Move the current version to the history, or remove it.

    Until a new one is set, or `unset` is called, the name has none.
    """
    if keep:
        await tx.execute(
            "UPDATE store.version SET cluster = %s WHERE serial = %s",
            (HISTORY, old.serial),
        )
    else:
        await tx.execute("DELETE FROM store.version WHERE serial = %s", (old.serial,))


async def set_current(
    tx: Transaction, slot: Slot, new: Version
) -> tuple[int, UUID, datetime]:
    """Make ``new`` the current version; its serial, uuid and time.

    The time is later than that of the version before.
    """
    mtime = new.now
    if slot.info is not None:
        mtime = max(mtime, slot.info.mtime + timedelta(microseconds=1))
    row = await tx.row(
        "WITH new AS (INSERT INTO store.version (object_id, cluster, uuid, map_id,"
        " size, ctype, mtime, muser, source, meta)"
        " SELECT o.id, %s, o.uuid, %s, %s, %s, %s, %s, %s, %s FROM store.object o"
        " WHERE o.id = %s RETURNING serial, uuid)"
        " UPDATE store.object o SET cur = new.serial FROM new WHERE o.id = %s"
        " RETURNING new.serial, new.uuid",
        (
            CURRENT,
            new.map_id,
            new.size,
            new.described.ctype,
            mtime,
            new.modified_by,
            new.source,
            Jsonb(_meta(new.described)),
            slot.id,
            slot.id,
        ),
    )
    assert row is not None
    return row[0], row[1], mtime


async def unset(
    tx: Transaction, slot: Slot, user: UUID, now: datetime, mark: bool
) -> None:
    """Leave the name without a current version.

    :param mark: whether the history tells when it was deleted, and by whom.
    """
    await tx.execute("UPDATE store.object SET cur = NULL WHERE id = %s", (slot.id,))
    if mark:
        await tx.execute(
            "INSERT INTO store.version (object_id, cluster, uuid, size, mtime, muser)"
            " SELECT id, %s, uuid, 0, %s, %s FROM store.object WHERE id = %s",
            (DELETED, now, user, slot.id),
        )


async def forget(tx: Transaction, slot: Slot) -> None:
    """Remove a name that has no versions at all."""
    await tx.execute(
        "DELETE FROM store.object o WHERE id = %s AND NOT EXISTS"
        " (SELECT FROM store.version v WHERE v.object_id = o.id)",
        (slot.id,),
    )


def _meta(described: Described) -> dict[str, dict[str, str]]:
    found = {"pithos": dict(described.user), "http": dict(described.http)}
    return {domain: meta for domain, meta in found.items() if meta}
