"""Commissions of other programs: issuing, listing and resolving them.

A program sees and resolves only its own (``spec/astakos.md`` §2.5, §3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Forbidden, Invalid, NotFound
from snfd.quota import commission_store as store
from snfd.quota import orders
from snfd.quota.model import ACCEPT, Commission, Holding, Key, Settled
from snfd.quota.orders import Order, Parts
from snfd.quota.resolving import Resolved, resolve
from snfd.quota.store import locked, save
from snfd.registry.model import Component


@frozen(eq=False)
class Commissions:
    """What components do with commissions.

    :ivar balanced: whether members and their project must change alike.
    """

    db: Database
    balanced: bool = False

    async def issue(self, component: Component, order: Order) -> int:
        """Issue a commission, all of it or nothing; its serial.

        :raises Invalid: it is unbalanced, and must not be.
        :raises Forbidden: a resource is accounted for by another component.
        :raises NoHolding: a provision names a holding that there is not.
        :raises NoCapacity: there is no room for one.
        :raises NoQuantity: one releases more than is held.
        """
        if self.balanced and (odd := orders.unbalanced(order.provisions)):
            raise Invalid(
                f"{odd.resource}: project {odd.project} and its members would change"
                " by different amounts"
            )
        wanted = {one.resource for one in order.provisions}
        rows = await self.db.read(store.OTHERS, (component.id,))
        if foreign := sorted(wanted.intersection(row[0] for row in rows)):
            raise Forbidden(f"{foreign[0]} is accounted for by another component")
        return await self.db.run(issue, component.name, order)

    async def pending(
        self, component: Component, marker: int | None, most: int
    ) -> Sequence[int]:
        """Serials of the component's pending commissions, ascending.

        :param marker: only those after this one.
        :param most: how many at most, and one more.
        """
        args = (component.name, marker or 0, most + 1)
        return [row[0] for row in await self.db.read(store.PENDING, args)]

    async def get(self, component: Component, serial: int) -> Commission:
        """A pending commission of the component.

        :raises NotFound: it has none such.
        """
        rows = await self.db.read(store.ONE, (serial, component.name))
        if not rows:
            raise _missing(serial)
        return store.commission(rows)

    async def settle(self, component: Component, serial: int, *, accept: bool) -> None:
        """Accept or reject one commission; cannot fail for quota reasons.

        :raises NotFound: it is not pending, or another's.
        """
        chosen = [serial]
        done = await self.resolve(
            component, chosen if accept else [], [] if accept else chosen
        )
        if done.missing:
            raise _missing(serial)

    async def resolve(
        self, component: Component, accept: Sequence[int], reject: Sequence[int]
    ) -> Resolved:
        """Accept and reject many; those that can be are, whatever the others."""
        return await self.db.run(resolve, accept, reject, component.name)


def _missing(serial: int) -> NotFound:
    return NotFound(f"there is no pending commission {serial}")


async def issue(tx: Transaction, clientkey: str, order: Order) -> int:
    """Issue ``order`` in the name of ``clientkey``; the commission's serial.

    :raises NoHolding: as `Commissions.issue`.
    :raises NoCapacity: as `Commissions.issue`.
    :raises NoQuantity: as `Commissions.issue`.
    """
    parts = orders.summed(order.provisions)
    holdings = await locked(tx, parts) if parts else {}
    after = orders.issued(parts, holdings, force=order.force)
    if order.auto_accept:
        return await _settled(tx, clientkey, order, parts, after)
    if after:
        await save(tx, list(after.values()))
    quantities = {key: part.quantity for key, part in parts.items()}
    return await store.insert(tx, clientkey, order.name, None, quantities)


async def _settled(
    tx: Transaction,
    clientkey: str,
    order: Order,
    parts: Parts,
    pending: Mapping[Key, Holding],
) -> int:
    """Record an order that is accepted as soon as it is issued; its serial."""
    after = {
        key: holding.accepted(parts[key].quantity) for key, holding in pending.items()
    }
    if after:
        await save(tx, list(after.values()))
    serial, now = await store.next_serial(tx)
    quantities = {key: part.quantity for key, part in parts.items()}
    made = Commission(serial, clientkey, order.name, now, quantities)
    await store.resolve(
        tx, [], [Settled(made, after[key], quantities[key], ACCEPT) for key in parts]
    )
    return serial
