"""New versions of objects, and the end of old ones, inside a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.errors import Conflict, NotFound, OverQuota
from snfd.objects.conditions import NO_CONDITIONS, Conditions
from snfd.objects.model import (
    HISTORY_FREE,
    Committed,
    Container,
    Described,
    NewContent,
    ObjectInfo,
    ObjectPath,
    Versioning,
)
from snfd.objects.store import containers, maps, objects

DISKSPACE = "pithos.diskspace"

Source = NewContent | ObjectInfo
"""What a version is made of: new bytes, or those of another version."""

Charge = Callable[[Transaction, UUID, UUID, Mapping[str, int]], Awaitable[None]]
"""Add signed amounts to what a user holds in a project (quota's ``charge``)."""


@frozen
class Wanted:
    """A version that somebody wants to make.

    :ivar user: who makes it.
    :ivar payer: whose holding a new name is charged to.
    :ivar uuid: of the object, if the name is not in use.
    """

    path: ObjectPath
    described: Described
    user: UUID
    payer: UUID
    uuid: UUID
    now: datetime
    conditions: Conditions = NO_CONDITIONS


async def commit(
    tx: Transaction, charge: Charge, wanted: Wanted, content: Source
) -> Committed:
    """Give ``content`` its name: one version more, and its charge.

    No byte moves if it is a version that is there already.

    :raises NotFound: no such container.
    :raises PreconditionFailed: ``wanted.conditions`` do not hold.
    :raises Conflict: the name holds the data of an image.
    :raises OverQuota: of the container or the project; nothing was recorded.
    """
    container = await _container(tx, wanted.path)
    slot = await objects.lock(tx, container.id, wanted.path, wanted.uuid, wanted.payer)
    old = slot.info
    wanted.conditions.check_write(old)
    _check_no_image(slot)
    keep = container.policy.versioning is Versioning.AUTO
    map_id = await _swap_maps(tx, container, content, None if keep else old)
    if old is not None:
        await objects.retire(tx, old, keep)
    made = await objects.set_current(
        tx,
        slot,
        objects.Version(
            map_id,
            content.size,
            wanted.described,
            wanted.user,
            wanted.now,
            content.serial if isinstance(content, ObjectInfo) else None,
        ),
    )
    await _settle(tx, charge, container, slot, content.size, wanted.now)
    return Committed(_info(wanted, content, map_id, *made), created=old is None)


async def describe(
    tx: Transaction,
    wanted: Wanted,
    change: Callable[[ObjectInfo], Described],
) -> ObjectInfo:
    """Make a version that differs only in what is said about it.

    :raises NotFound: no such container or object.
    :raises PreconditionFailed: ``wanted.conditions`` do not hold.
    """
    container, slot, old = await _existing(tx, wanted.path)
    wanted.conditions.check_write(old)
    described = change(old)
    keep = container.policy.versioning is Versioning.AUTO
    if keep:
        await maps.keep(tx, old.map_id)
    await objects.retire(tx, old, keep)
    serial, uuid, mtime = await objects.set_current(
        tx,
        slot,
        objects.Version(
            old.map_id, old.size, described, wanted.user, wanted.now, old.serial
        ),
    )
    history = (1, old.size) if keep else (0, 0)
    await containers.count(
        tx, container.id, current=(0, 0), history=history, now=wanted.now
    )
    return ObjectInfo(
        wanted.path, uuid, serial, old.size, old.block_size, old.root, old.md5,
        old.map_id, described, mtime, mtime, wanted.user,
    )  # fmt: skip


async def discard(
    tx: Transaction,
    charge: Charge,
    path: ObjectPath,
    user: UUID,
    moment: datetime,
    conditions: Conditions = NO_CONDITIONS,
) -> None:
    """Leave the name without a current version, and give its charge back.

    :raises NotFound: no such container or object.
    :raises PreconditionFailed: ``conditions`` do not hold.
    :raises Conflict: the name holds the data of an image.
    """
    container, slot, old = await _existing(tx, path)
    conditions.check_write(old)
    _check_no_image(slot)
    keep = container.policy.versioning is Versioning.AUTO
    if not keep:
        await maps.release(tx, old.map_id)
    await objects.unset(tx, slot, user, moment, mark=keep)
    await objects.retire(tx, old, keep)
    await objects.forget(tx, slot)
    await _settle(tx, charge, container, slot, None, moment)


async def _container(tx: Transaction, path: ObjectPath) -> Container:
    container = await containers.get(tx, path.parent)
    if container is None:
        raise NotFound("no such container")
    return container


async def _existing(
    tx: Transaction, path: ObjectPath
) -> tuple[Container, objects.Slot, ObjectInfo]:
    container = await _container(tx, path)
    slot = await objects.lock_existing(tx, container.id, path)
    if slot is None or slot.info is None:
        raise NotFound("no such object")
    return container, slot, slot.info


def _check_no_image(slot: objects.Slot) -> None:
    if slot.image:
        raise Conflict("the object is the data of an image; delete the image first")


async def _swap_maps(
    tx: Transaction, container: Container, content: Source, old: ObjectInfo | None
) -> int:
    """Take the new map and release the old one, the lesser root first.

    All transactions lock maps in this order, so that two of them never wait
    for each other.
    """
    first = old is not None and (old.root, old.size) < (content.root, content.size)
    if old is not None and first:
        await maps.release(tx, old.map_id)
    map_id = await _take(tx, container, content)
    if old is not None and not first:
        await maps.release(tx, old.map_id)
    return map_id


async def _take(tx: Transaction, container: Container, content: Source) -> int:
    if isinstance(content, NewContent):
        return await maps.take(tx, container.account_id, content)
    foreign = content.path.account != container.path.account
    if not await maps.share(
        tx, content.map_id, container.account_id if foreign else None
    ):
        raise Conflict("the source has changed meanwhile")
    return content.map_id


async def _settle(
    tx: Transaction,
    charge: Charge,
    container: Container,
    slot: objects.Slot,
    size: int | None,
    moment: datetime,
) -> None:
    """Count and charge; these rows are contended, so they come last.

    :param size: bytes of the new current version, None if there is none.
    """
    old, keep = slot.info, container.policy.versioning is Versioning.AUTO
    freed = 0 if old is None else old.size
    growth = (size or 0) - freed
    current = ((size is not None) - (old is not None), growth)
    history = (1, freed) if old is not None and keep else (0, 0)
    total = await containers.count(
        tx, container.id, current=current, history=history, now=moment
    )
    quota = container.policy.quota
    if growth > 0 and 0 < quota < total:
        raise OverQuota(
            "the container's quota does not allow it",
            resource="container",
            limit=quota,
            usage=total - growth,
            requested=growth,
        )
    delta = growth if HISTORY_FREE or not keep else (size or 0)
    if delta:
        project = container.policy.project
        await charge(tx, slot.payer, project, {DISKSPACE: delta})


def _info(
    wanted: Wanted,
    content: Source,
    map_id: int,
    serial: int,
    uuid: UUID,
    mtime: datetime,
) -> ObjectInfo:
    return ObjectInfo(
        wanted.path, uuid, serial, content.size, content.block_size, content.root,
        content.md5, map_id, wanted.described, mtime, mtime, wanted.user,
    )  # fmt: skip
