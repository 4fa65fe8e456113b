"""What can be wrong with holdings, and what would be right; pure.

Rules: ``spec/astakos.md`` §3.1, §3.6 and §3.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from attrs import evolve, frozen

from snfd.quota.model import Holding, Key

MOST = 1000
"""Findings of one kind that are told at once."""


class Kind(StrEnum):
    """What may be wrong with a holding."""

    LIMIT = "limit"
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    USAGE = "usage"
    SUM = "sum"
    ACTUAL = "actual"


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
    :ivar actual: usage of what this daemon counts itself, from what there is.
    """

    limits: bool = False
    unexpected: bool = False
    usage: bool = False
    sums: bool = False
    force: bool = False
    actual: bool = False


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


def limit_finding(
    project: UUID,
    member: UUID,
    resource: str,
    wanted: int | None,
    found: int | None,
    usage: int,
) -> Finding:
    """What is wrong with a limit; None for a holding that is not (to be) there."""
    key = Key(project, member, resource)
    if wanted is None:
        told = f"limit {found}, usage {usage}"
        return Finding(Kind.UNEXPECTED, key, told, "no holding", usage > 0)
    if found is None:
        return Finding(Kind.MISSING, key, "no holding", f"limit {wanted}")
    return Finding(Kind.LIMIT, key, f"limit {found}", f"limit {wanted}", usage > 0)


def usage_finding(
    key: Key, low: int, high: int, imports: int, releases: int
) -> Finding:
    """What is wrong with usage that does not fit what is pending."""
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
