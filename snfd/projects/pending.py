"""How many undecided applications somebody has, as a quota (§3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from snfd.db.port import Transaction
from snfd.errors import Conflict
from snfd.quota import commissions
from snfd.quota.model import (
    APPLICATIONS,
    PENDING_APPLICATIONS,
    WHOLE_PROJECT,
    Key,
)
from snfd.quota.orders import NoCapacity, Order, Provision


async def count(
    tx: Transaction, number: int, changes: Mapping[UUID, int], *, force: bool
) -> None:
    """Charge applicants' own projects; last in the transaction.

    :param number: the application that is the reason.
    :param changes: applicant → how many more or fewer.
    :raises Conflict: somebody has as many as he may, and not ``force``.
    """
    parts = [
        Provision.of(Key(user, member, PENDING_APPLICATIONS), count)
        for user, count in changes.items()
        for member in (user, WHOLE_PROJECT)
    ]
    name = f"application {number}"
    try:
        order = Order(parts, name, force=force, auto_accept=True)
        await commissions.issue(tx, APPLICATIONS, order)
    except NoCapacity as error:
        limit = _limit_of(error)
        raise Conflict(
            f"{limit} undecided applications are all that you may have"
        ) from None


def _limit_of(error: NoCapacity) -> object:
    data = error.details.get("data")
    return data.get("limit") if isinstance(data, Mapping) else None
