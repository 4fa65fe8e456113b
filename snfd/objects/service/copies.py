"""Copies and moves of objects; no byte is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import NotFound
from snfd.identity.model import Caller
from snfd.objects.conditions import NO_CONDITIONS, Conditions
from snfd.objects.model import Committed, ObjectInfo, ObjectPath
from snfd.objects.rules import Right, check_object_name, check_right
from snfd.objects.service.accounting import Charge
from snfd.objects.service.objects import Revision
from snfd.objects.service.versions import Wanted, commit, move
from snfd.objects.store import objects as store


@frozen
class Copy:
    """A copy, or a move, that somebody wants.

    :ivar revision: how the description differs from the source's.
    :ivar expected: conditions on the source.
    :ivar conditions: on the destination.
    """

    source: ObjectPath
    destination: ObjectPath
    revision: Revision
    expected: Conditions = NO_CONDITIONS
    conditions: Conditions = NO_CONDITIONS
    move: bool = False


@frozen(eq=False)
class Copies:
    """Gives content that is there another name."""

    _db: Database
    _clock: Seconds
    _charge: Charge
    _new_uuid: Callable[[], UUID] = uuid4

    async def make(self, caller: Caller, copy: Copy) -> tuple[ObjectInfo, Committed]:
        """Copy or move; the source as it was, and what was made.

        A moved object keeps its uuid, but its history stays behind.

        :raises Forbidden: the caller may not read the source (to move: write
            it), or not write the destination.
        :raises NotFound: no such source, or no container for the destination.
        :raises PreconditionFailed: conditions do not hold.
        :raises Conflict: the destination holds the data of an image, or the
            source changed meanwhile.
        :raises OverQuota: there is no room.
        """
        needed = Right.WRITE if copy.move else Right.READ
        check_right(caller, copy.source.account, needed)
        check_right(caller, copy.destination.account, Right.WRITE)
        check_object_name(copy.destination.name)
        moment, uuid = now(self._clock), self._new_uuid()
        return await self._db.run(_make, self._charge, caller, copy, uuid, moment)


async def _make(
    tx: Transaction,
    charge: Charge,
    caller: Caller,
    copy: Copy,
    uuid: UUID,
    moment: datetime,
) -> tuple[ObjectInfo, Committed]:
    source = await store.current(tx, copy.source)
    if source is None:
        raise NotFound("no such source")
    copy.expected.check_write(source)
    moves = copy.move and copy.source != copy.destination
    wanted = Wanted(
        path=copy.destination,
        described=copy.revision.of(source),
        user=caller.user,
        payer=caller.user,
        uuid=source.uuid if moves else uuid,
        now=moment,
        conditions=copy.conditions,
    )
    if not moves:
        return source, await commit(tx, charge, wanted, source)
    return source, await move(tx, charge, wanted, source)
