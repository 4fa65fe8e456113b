"""Looking whether holdings are what they must be, and putting them right.

Rules: ``spec/astakos.md`` §3.1, §3.6 and §3.8.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.quota import commissions, integrity_store, store
from snfd.quota.findings import (
    MOST,
    NOTHING,
    Difference,
    Finding,
    Fixes,
    Kind,
    Report,
    at_usage,
    limit_finding,
    recomputed,
    usage_finding,
)
from snfd.quota.model import (
    APPLICATIONS,
    PENDING_APPLICATIONS,
    WHOLE_PROJECT,
    Key,
)
from snfd.quota.orders import Order, Provision

Count = Callable[[Transaction], Awaitable[Mapping[UUID, int]]]
"""Counts something of each user, in his own project."""


@frozen
class Recount:
    """How to count what there is of some resources.

    :ivar sql: gives rows of project, user, resource and amount.
    :ivar resources: all that it counts.
    """

    sql: str
    resources: Sequence[str]


@frozen(eq=False)
class Integrity:
    """What administrators do when numbers are in doubt.

    :ivar undecided: counts users' undecided applications.
    :ivar recount: None where nothing is counted here.
    """

    db: Database
    undecided: Count
    recount: Recount | None = None

    async def verify(self, actor: Actor, fixes: Fixes = NOTHING) -> Report:
        """Look at all holdings, and put right what ``fixes`` names."""
        return await self.db.run(verify, actor, fixes, self.recount)

    async def reconcile(
        self, actor: Actor, *, fix: bool = False, force: bool = False
    ) -> Sequence[Difference]:
        """Compare what is charged for applications with those that there are.

        :param fix: charge the differences.
        :param force: past the limits.
        :raises NoCapacity: somebody has no room for what he has, and not ``force``.
        """
        return await self.db.run(
            reconcile, actor, PENDING_APPLICATIONS, self.undecided, fix, force
        )


async def verify(
    tx: Transaction,
    actor: Actor,
    fixes: Fixes = NOTHING,
    recount: Recount | None = None,
) -> Report:
    """Look at all holdings, and put right what ``fixes`` names.

    Locks holdings; call it last in the transaction.
    """
    findings = await find(tx)
    findings += await miscounted(tx, recount)
    fixed = 0
    if fixes.limits:
        fixed += await _fix_limits(tx, findings)
    if fixes.unexpected:
        wrong = [one.key for one in findings if one.kind is Kind.UNEXPECTED]
        fixed += await _remove(tx, wrong, fixes.force)
    if fixes.usage:
        fixed += await _fix_usage(tx)
    if fixes.sums:
        fixed += await _fix_sums(tx)
    if fixes.actual and recount is not None:
        fixed += await _fix_actual(tx, recount)
    if fixes != NOTHING:
        await record(tx, actor, "quota.fix", "quota", fixed=fixed)
    return Report(findings, fixed)


async def find(tx: Transaction) -> list[Finding]:
    """Everything that is wrong, at most `MOST` of each kind; locks nothing."""
    found = [limit_finding(*row) for row in await integrity_store.limits(tx, MOST)]
    for project, member, resource, *numbers in await integrity_store.usage(tx, MOST):
        found.append(usage_finding(Key(project, member, resource), *numbers))
    for row in await integrity_store.sums(tx, MOST):
        found.append(
            Finding(
                Kind.SUM,
                Key(*row[:3]),
                f"usage {row[3]}",
                f"usage {row[4]}, of all members",
                row[3] > 0,
            )
        )
    return found


async def miscounted(tx: Transaction, recount: Recount | None) -> list[Finding]:
    """Usage that is not what there is, at most `MOST`; locks nothing."""
    if recount is None:
        return []
    rows = await integrity_store.actual(tx, recount.sql, recount.resources, MOST)
    return [
        Finding(
            Kind.ACTUAL,
            Key(*row[:3]),
            f"usage {row[3]}",
            f"usage {row[4]}, counted anew",
            row[3] > 0,
        )
        for row in rows
    ]


async def _fix_limits(tx: Transaction, findings: Sequence[Finding]) -> int:
    wrong = {
        one.key.resource for one in findings if one.kind in (Kind.LIMIT, Kind.MISSING)
    }
    if not wrong:
        return 0
    await store.lock_resources(tx, exclusive=False)
    return await store.refresh(tx, None, resources=sorted(wrong))


async def _remove(tx: Transaction, keys: Sequence[Key], force: bool) -> int:
    if not keys:
        return 0
    await store.locked(tx, keys)
    return await integrity_store.remove(tx, keys, used=force)


async def _fix_usage(tx: Transaction) -> int:
    suspects = [Key(*row[:3]) for row in await integrity_store.usage(tx, MOST)]
    if not suspects:
        return 0
    held = await store.locked(tx, suspects)
    # looked at again, now that nobody else changes them
    after = [
        recomputed(held[key], *row[5:])
        for row in await integrity_store.usage(tx, MOST)
        if (key := Key(*row[:3])) in held
    ]
    await store.save(tx, after)
    return len(after)


async def _fix_sums(tx: Transaction) -> int:
    suspects = await integrity_store.sums(tx, MOST)
    if not suspects:
        return 0
    projects, resources = [row[0] for row in suspects], [row[2] for row in suspects]
    keys = await integrity_store.of_members(tx, projects, resources)
    held = await store.locked(tx, keys)
    after = [
        at_usage(held[key], *row[4:])
        for row in await integrity_store.sums(tx, MOST)
        if (key := Key(*row[:3])) in held
    ]
    await store.save(tx, after)
    return len(after)


async def _fix_actual(tx: Transaction, recount: Recount) -> int:
    counted = recount.sql, recount.resources, MOST
    suspects = await integrity_store.actual(tx, *counted)
    if not suspects:
        return 0
    held = await store.locked(tx, [Key(*row[:3]) for row in suspects])
    # counted again, now that nobody else charges them
    after = [
        at_usage(held[key], *row[4:])
        for row in await integrity_store.actual(tx, *counted)
        if (key := Key(*row[:3])) in held
    ]
    await store.save(tx, after)
    return len(after)


async def reconcile(
    tx: Transaction,
    actor: Actor,
    resource: str,
    count: Count,
    fix: bool,
    force: bool,
) -> Sequence[Difference]:
    """Compare the usage of ``resource`` in users' own projects with a count.

    :param fix: charge the differences, all in one commission.
    :param force: past the limits.
    :raises NoCapacity: there is no room for one, and not ``force``.
    """
    counted = await count(tx)
    rows = await integrity_store.own_usage(tx, resource)
    found = [
        Difference(user, high, counted.get(user, 0), skipped=low != high)
        for user, low, high in rows
        if high != counted.get(user, 0) or low != high
    ]
    parts = [
        Provision.of(Key(one.user, member, resource), one.counted - one.usage)
        for one in found
        for member in (one.user, WHOLE_PROJECT)
        if not one.skipped
    ]
    if fix and parts:
        order = Order(parts, f"reconcile {resource}", force=force, auto_accept=True)
        await commissions.issue(tx, APPLICATIONS, order)
        await record(
            tx,
            actor,
            "quota.reconcile",
            f"resource:{resource}",
            changed=len(parts) // 2,
        )
    return found
