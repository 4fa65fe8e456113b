"""What can be asked of an account as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.identity.model import Caller
from snfd.objects.model import Account, Container, Query
from snfd.objects.rules import MetaLimits, Right, check_meta, check_right, merged
from snfd.objects.store import containers as store


@frozen(eq=False)
class Accounts:
    """Accounts; one is there from the moment that its project is."""

    _db: Database
    _clock: Seconds

    async def show(self, caller: Caller, uuid: UUID) -> Account:
        """The account, empty if nobody has used it yet.

        :raises Forbidden: the caller may not read it.
        """
        check_right(caller, uuid, Right.READ)
        rows = await self._db.read(store.ACCOUNT, (uuid,))
        if rows:
            return store.account(rows[0])
        moment = now(self._clock)
        return Account(uuid, {}, moment, moment, containers=0, objects=0, size=0)

    async def others(
        self, caller: Caller, query: Query
    ) -> Sequence[tuple[UUID, datetime]]:
        """Accounts that the caller may read besides his own, with their times."""
        projects = sorted(caller.projects - {caller.user})
        params = (projects, query.after, query.limit)
        rows = await self._db.read(store.OTHERS, params)
        return [(row[0], row[1]) for row in rows]

    async def containers(
        self, caller: Caller, uuid: UUID, query: Query
    ) -> Sequence[Container]:
        """One page of the account's containers, by name.

        :raises Forbidden: the caller may not read it.
        """
        check_right(caller, uuid, Right.READ)
        rows = await self._db.read(store.CONTAINERS, store.page(uuid, query))
        return [store.container(row) for row in rows]

    async def describe(
        self,
        caller: Caller,
        uuid: UUID,
        meta: Mapping[str, str],
        limits: MetaLimits,
        replace: bool,
    ) -> None:
        """Change the account's metadata; an empty value takes a key away.

        :param replace: whether what is not named goes too.
        :raises Forbidden: the caller may not write it.
        :raises Invalid: out of ``limits``.
        """
        check_right(caller, uuid, Right.WRITE)
        moment = now(self._clock)
        await self._db.run(_describe, uuid, meta, limits, replace, moment)


async def _describe(
    tx: Transaction,
    uuid: UUID,
    meta: Mapping[str, str],
    limits: MetaLimits,
    replace: bool,
    moment: datetime,
) -> None:
    ident = await store.ensure_account(tx, uuid, moment)
    old = await store.lock_account_meta(tx, ident)
    new = merged({} if replace else old, meta)
    check_meta(new, limits)
    await store.set_account_meta(tx, ident, new, moment)
