"""New versions of objects, and the end of old ones, inside a transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Transaction
from snfd.errors import Conflict, NotFound
from snfd.objects.conditions import NO_CONDITIONS, Conditions
from snfd.objects.model import (
    Committed,
    Container,
    Described,
    NewContent,
    ObjectInfo,
    ObjectPath,
    Versioning,
)
from snfd.objects.service.accounting import Change, Charge, settle
from snfd.objects.store import containers, maps, objects

Source = NewContent | ObjectInfo
"""What a version is made of: new bytes, or those of another version."""


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
    entered = await objects.enter(tx, wanted.path, wanted.uuid, wanted.payer)
    if entered is None:
        raise NotFound("no such container")
    container, slot = entered
    old = slot.info
    wanted.conditions.check_write(old)
    _check_no_image(slot)
    keep = keeps(container)
    map_id = await _swap_maps(tx, container, content, None if keep else old)
    if old is not None:
        await objects.retire(tx, old, keep)
    made = await objects.set_current(
        tx,
        slot,
        _version(wanted, content, map_id),
    )
    change = _change(container, slot, content.size)
    await settle(tx, charge, [change], wanted.now)
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
    keep = keeps(container)
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
    if not keeps(container):
        await maps.release(tx, old.map_id)
    await _end(tx, container, slot, old, user, moment)
    await settle(tx, charge, [_change(container, slot, None)], moment)


async def move(
    tx: Transaction, charge: Charge, wanted: Wanted, source: ObjectInfo
) -> Committed:
    """Give the current version ``source`` another name, and its uuid with it.

    Its history stays with the old name.

    :raises NotFound: the source, or the container to move to, is gone.
    :raises PreconditionFailed: ``wanted.conditions`` do not hold.
    :raises Conflict: one of the names holds the data of an image, or the
        source has changed meanwhile.
    :raises OverQuota: there is no room.
    """
    here = await _container(tx, source.path)
    there = await _container(tx, wanted.path)
    left, slot = await _lock_both(tx, here, there, source, wanted)
    wanted.conditions.check_write(slot.info)
    _check_no_image(slot)
    await _move_map(tx, here, there, source, slot.info)
    await _end(tx, here, left, source, wanted.user, wanted.now)
    if slot.info is not None:
        await objects.retire(tx, slot.info, keeps(there))
    made = await objects.set_current(tx, slot, _version(wanted, source, source.map_id))
    changes = [_change(here, left, None), _change(there, slot, source.size)]
    await settle(tx, charge, changes, wanted.now)
    info = _info(wanted, source, source.map_id, *made)
    return Committed(info, created=slot.info is None)


async def _lock_both(
    tx: Transaction,
    here: Container,
    there: Container,
    source: ObjectInfo,
    wanted: Wanted,
) -> tuple[objects.Slot, objects.Slot]:
    """The old and the new name, locked in the order of containers and names."""

    async def old_name() -> objects.Slot:
        slot = await objects.lock_existing(tx, here.id, source.path)
        if slot is None or slot.info is None:
            raise NotFound("no such object")
        if slot.info.serial != source.serial:
            raise Conflict("the source has changed meanwhile")
        _check_no_image(slot)
        return slot

    async def new_name() -> objects.Slot:
        uuid, payer = wanted.uuid, wanted.payer
        return await objects.lock(tx, there.id, wanted.path, uuid, payer)

    if (here.id, source.path.name) < (there.id, wanted.path.name):
        left = await old_name()
        return left, await new_name()
    slot = await new_name()
    return await old_name(), slot


async def _move_map(
    tx: Transaction,
    here: Container,
    there: Container,
    source: ObjectInfo,
    old: ObjectInfo | None,
) -> None:
    """References after a move: without history the new name takes the old's."""
    gone = None if old is None or keeps(there) else old
    if keeps(here):
        await _swap_maps(tx, there, source, gone)
        return
    if gone is not None:
        await maps.release(tx, gone.map_id)
    if here.account_id != there.account_id:
        await maps.claim_all(tx, there.account_id, source.map_id)


async def _end(
    tx: Transaction,
    container: Container,
    slot: objects.Slot,
    old: ObjectInfo,
    user: UUID,
    moment: datetime,
) -> None:
    """Take the current version from a name."""
    keep = keeps(container)
    await objects.unset(tx, slot, user, moment, mark=keep)
    await objects.retire(tx, old, keep)
    await objects.forget(tx, slot)


def keeps(container: Container) -> bool:
    """Whether old versions become history."""
    return container.policy.versioning is Versioning.AUTO


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

    All transactions lock maps in this order, and blocks after them, so that no
    two ever wait for each other.
    """
    first = old is not None and (old.root, old.size) < (content.root, content.size)
    if old is not None and first:
        await maps.release(tx, old.map_id)
    map_id, fresh = await _take(tx, content)
    if old is not None and not first:
        await maps.release(tx, old.map_id)
    account = container.account_id
    if isinstance(content, ObjectInfo):
        if content.path.account != container.path.account:
            await maps.claim_all(tx, account, map_id)
    elif fresh:
        await maps.fill(tx, map_id, account, content)
    else:
        await maps.claim(tx, account, content)
    return map_id


async def _take(tx: Transaction, content: Source) -> tuple[int, bool]:
    if isinstance(content, NewContent):
        return await maps.take(tx, content)
    if not await maps.share(tx, content.map_id):
        raise Conflict("the source has changed meanwhile")
    return content.map_id, False


def _change(container: Container, slot: objects.Slot, size: int | None) -> Change:
    """What is counted and charged: ``size`` bytes are there now, None: nothing."""
    old = None if slot.info is None else slot.info.size
    return Change(container, old, size, slot.payer)


def _version(wanted: Wanted, content: Source, map_id: int) -> objects.Version:
    return objects.Version(
        map_id,
        content.size,
        wanted.described,
        wanted.user,
        wanted.now,
        content.serial if isinstance(content, ObjectInfo) else None,
    )


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
