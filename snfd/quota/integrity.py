"""Looking whether holdings are what they must be, and putting them right.

Rules: ``spec/astakos.md`` §3.1, §3.6 and §3.8.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from attrs import evolve, frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.quota import commissions, integrity_store, store
from snfd.quota.model import WHOLE_PROJECT, Holding, Key
from snfd.quota.orders import Order, Provision

MOST = 1000
"""Findings of one kind that are told at once."""

CLIENTKEY = "astakos"
"""In whose name differences of applications are charged."""

PENDING_APPLICATIONS = "astakos.pending_app"


class Kind(StrEnum):
    """What may be wrong with a holding."""

    LIMIT = "limit"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    USAGE = "usage"
    SUM = "sum"


@frozen
class Finding:
    """One thing that is wrong.

    :ivar found: what is there.
    :ivar wanted: what there must be.
    """

    kind: Kind
    key: Key
    found: str
    wanted: str
    used: bool = False


@frozen
class Fixes:
    """What to put right.

    :ivar limits: limits that are wrong, and holdings that are missing.
    :ivar unexpected: remove holdings that there must not be, unless used.
    :ivar usage: usage that does not fit what is pending; the higher account
        of it is believed.
    :ivar sums: projects' usage, from their members'. Programs that charge
        members or projects alone make such differences on purpose.
    :ivar force: remove unexpected holdings though they are used.
    """

    limits: bool = False
    unexpected: bool = False
    usage: bool = False
    sums: bool = False
    force: bool = False


NOTHING = Fixes()


@frozen
class Report:
    """What was wrong before anything was put right, at most `MOST` of a kind.

    :ivar fixed: how many holdings were written or removed.
    """

    findings: Sequence[Finding]
    fixed: int = 0


@frozen
class Difference:
    """Somebody whose usage is not what is counted.

    :ivar skipped: nothing can be told while commissions are pending.
    """

    user: UUID
    usage: int
    counted: int
    skipped: bool


Count = Callable[[Transaction], Awaitable[Mapping[UUID, int]]]
"""Counts something of each user, in his own project."""


@frozen(eq=False)
class Integrity:
    """What administrators do when numbers are in doubt.

    :ivar undecided: counts users' undecided applications.
    """

    db: Database
    undecided: Count

    async def verify(self, actor: Actor, fixes: Fixes = NOTHING) -> Report:
        """Look at all holdings, and put right what ``fixes`` names."""
        return await self.db.run(verify, actor, fixes)

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


async def verify(tx: Transaction, actor: Actor, fixes: Fixes = NOTHING) -> Report:
    """Look at all holdings, and put right what ``fixes`` names.

    Locks holdings; call it last in the transaction.
    """
    findings = await find(tx)
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
    if fixes != NOTHING:
        await record(tx, actor, "quota.fix", "quota", fixed=fixed)
    return Report(findings, fixed)


async def find(tx: Transaction) -> list[Finding]:
    """Everything that is wrong, at most `MOST` of each kind; locks nothing."""
    found = [_limit(*row) for row in await integrity_store.limits(tx, MOST)]
    for project, member, resource, *numbers in await integrity_store.usage(tx, MOST):
        found.append(_usage(Key(project, member, resource), *numbers))
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


def _limit(
    project: UUID,
    member: UUID,
    resource: str,
    wanted: int | None,
    found: int | None,
    usage: int,
) -> Finding:
    key = Key(project, member, resource)
    if wanted is None:
        told = f"limit {found}, usage {usage}"
        return Finding(Kind.UNEXPECTED, key, told, "no holding", usage > 0)
    if found is None:
        return Finding(Kind.MISSING, key, "no holding", f"limit {wanted}")
    return Finding(Kind.LIMIT, key, f"limit {found}", f"limit {wanted}", usage > 0)


def _usage(key: Key, low: int, high: int, imports: int, releases: int) -> Finding:
    fixed = recomputed(Holding(key, 0, low, high), imports, releases)
    return Finding(
        Kind.USAGE,
        key,
        f"{low}..{high}",
        f"{fixed.usage_min}..{fixed.usage_max}",
        high > 0,
    )


def recomputed(holding: Holding, imports: int, releases: int) -> Holding:
    """``holding`` with the usage that fits what is pending; pure.

    Its two accounts of what is settled may differ: the higher is believed, so
    that nobody gets something for nothing.

    :param imports: sum of pending positive quantities.
    :param releases: sum of pending negative quantities, as a positive number.
    """
    settled = max(holding.usage_max - imports, holding.usage_min + releases)
    return at_usage(holding, settled, imports, releases)


def at_usage(holding: Holding, settled: int, imports: int, releases: int) -> Holding:
    """``holding`` with so much settled usage and so much pending; pure."""
    settled = max(settled, releases)
    return evolve(holding, usage_min=settled - releases, usage_max=settled + imports)


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
        await commissions.issue(tx, CLIENTKEY, order)
        await record(
            tx,
            actor,
            "quota.reconcile",
            f"resource:{resource}",
            changed=len(parts) // 2,
        )
    return found
