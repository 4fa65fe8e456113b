"""What administrators do with pools of MAC prefixes and of bridges."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.network import slots
from snfd.network.store import pools as store
from snfd.network.store.pools import Pool

KINDS = {"mac-prefix": slots.mac_prefixes, "bridge": slots.bridges}
FIRST = {"mac-prefix": 0, "bridge": 1}
"""Index of the first value of a pool of each kind."""


@frozen(eq=False)
class Pools:
    """Pools, from which networks take what no other may have."""

    db: Database

    async def create(self, actor: Actor, kind: str, base: str, size: int) -> int:
        """Make a pool; its id.

        :raises Invalid: its base or size.
        :raises Conflict: another pool has some of it.
        """
        values = KINDS[kind](base, size)
        return await self.db.run(self._create, actor, Pool(0, kind, base, size), values)

    async def _create(
        self, tx: Transaction, actor: Actor, new: Pool, values: list[tuple[str, bool]]
    ) -> int:
        ident = await store.insert(tx, new.kind, new.base, new.size)
        if ident is None:
            raise Conflict(f"there is a pool of {new.kind} {new.base} already")
        await _fill(tx, ident, FIRST[new.kind], values)
        facts = {"kind": new.kind, "base": new.base, "size": new.size}
        await record(tx, actor, "pool.create", f"pool:{ident}", **facts)
        return ident

    async def grow(self, actor: Actor, ident: int, size: int) -> None:
        """Have a pool hold more.

        :raises NotFound: there is none.
        :raises Invalid: it would hold less, or more than there can be.
        :raises Conflict: another pool has some of it.
        """
        await self.db.run(self._grow, actor, ident, size)

    async def _grow(self, tx: Transaction, actor: Actor, ident: int, size: int) -> None:
        pool = await _locked(tx, ident)
        if size < pool.size:
            raise Invalid(f"a pool only grows; this one holds {pool.size}")
        values = KINDS[pool.kind](pool.base, size)[pool.size :]
        await _fill(tx, ident, FIRST[pool.kind] + pool.size, values)
        await store.resize(tx, ident, size)
        await record(tx, actor, "pool.modify", f"pool:{ident}", size=size)

    async def remove(self, actor: Actor, ident: int) -> None:
        """Remove a pool of which nothing is taken.

        :raises NotFound: there is none.
        :raises Conflict: networks have some of it.
        """
        await self.db.run(self._remove, actor, ident)

    async def _remove(self, tx: Transaction, actor: Actor, ident: int) -> None:
        pool = await _locked(tx, ident)
        if await store.in_use(tx, ident):
            raise Conflict(f"networks have some of pool {ident}")
        await store.drop(tx, ident)
        facts = {"kind": pool.kind, "base": pool.base}
        await record(tx, actor, "pool.remove", f"pool:{ident}", **facts)

    async def reserve(
        self, actor: Actor, ident: int, values: Sequence[str], *, wanted: bool = True
    ) -> None:
        """Give values of a pool to no more networks, or again to some.

        Networks that have one keep it.

        :raises NotFound: there is no such pool, or it does not hold one of them.
        """
        await self.db.run(self._reserve, actor, ident, values, wanted)

    async def _reserve(
        self,
        tx: Transaction,
        actor: Actor,
        ident: int,
        values: Sequence[str],
        wanted: bool,
    ) -> None:
        await _locked(tx, ident)
        for value in values:
            if not await store.reserve(tx, ident, value, wanted):
                raise NotFound(f"pool {ident} does not hold {value!r}")
        action = "pool.reserve" if wanted else "pool.release"
        await record(tx, actor, action, f"pool:{ident}", values=list(values))


async def _locked(tx: Transaction, ident: int) -> Pool:
    pool = await store.lock(tx, ident)
    if pool is None:
        raise NotFound(f"there is no pool {ident}")
    return pool


async def _fill(
    tx: Transaction, ident: int, first: int, values: Sequence[tuple[str, bool]]
) -> None:
    if await store.fill(tx, ident, first, values) < len(values):
        raise Conflict("another pool holds some of that")
