"""Settling and calling off pending commissions, one or many.

Commissions are locked first, in ascending order, then the holdings of all
their provisions, in key order (``spec/astakos.md`` §3.5, §3.9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from snfd.db.port import Transaction
from snfd.quota import commission_store as commissions
from snfd.quota import store
from snfd.quota.model import ACCEPT, REJECT, Commission, Holding, Key, Settled


@frozen
class Resolved:
    """What became of the commissions that somebody resolved; serials, ascending.

    :ivar missing: not pending, or another client's.
    :ivar conflicting: to be accepted and rejected at once: left as they are.
    """

    accepted: Sequence[int]
    rejected: Sequence[int]
    missing: Sequence[int]
    conflicting: Sequence[int]


async def resolve(
    tx: Transaction,
    accept: Sequence[int],
    reject: Sequence[int],
    clientkey: str | None = None,
) -> Resolved:
    """Accept some commissions and reject others; those that can be are.

    :param clientkey: whose they must be; None for anybody's.
    """
    good, bad = set(accept), set(reject)
    both = good & bad
    wanted = dict.fromkeys(good - both, ACCEPT)
    wanted |= dict.fromkeys(bad - both, REJECT)
    taken = await commissions.take(tx, wanted, clientkey) if wanted else []
    await _settle(tx, taken, wanted)
    done = [one.serial for one in taken]
    return Resolved(
        accepted=[serial for serial in done if wanted[serial] == ACCEPT],
        rejected=[serial for serial in done if wanted[serial] != ACCEPT],
        missing=sorted(set(wanted).difference(done)),
        conflicting=sorted(both),
    )


async def _settle(
    tx: Transaction, taken: Sequence[Commission], how: Mapping[int, str]
) -> None:
    """Apply and log what becomes of ``taken``, which are locked."""
    if not taken:
        return
    # a pending provision keeps its holding from being removed
    holdings = await store.locked(tx, {key for one in taken for key in one.provisions})
    settled = settle(taken, how, holdings)
    after: dict[Key, Holding] = {one.holding.key: one.holding for one in settled}
    if after:
        await store.save(tx, list(after.values()))
    await commissions.resolve(tx, [one.serial for one in taken], settled)


def settle(
    taken: Sequence[Commission], how: Mapping[int, str], holdings: Mapping[Key, Holding]
) -> list[Settled]:
    """What becomes of each provision, one commission after the other; pure."""
    current = dict(holdings)
    settled = []
    for one in taken:
        why = how[one.serial]
        for key, quantity in one.provisions.items():
            before = current[key]
            effect = before.accepted if why == ACCEPT else before.rejected
            current[key] = effect(quantity)
            settled.append(Settled(one, current[key], quantity, why))
    return settled
