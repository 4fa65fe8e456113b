"""The audit trail: who did what with special rights, or to an account.

Written in the transaction that does it, so neither is ever there alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Jsonb, Transaction
from snfd.errors import Invalid
from snfd.identity.model import Caller
from snfd.observe import client_address, request_id


@frozen
class Actor:
    """Who does something.

    :ivar uuid: None for nobody in particular: a stranger, or the daemon itself.
    :ivar name: his username, ``root`` on the daemon's socket, or ``snfd``.
    :ivar address: where he connects from; empty for where the request under way
        comes from.
    """

    uuid: UUID | None
    name: str
    address: str = ""

    @classmethod
    def of(cls, caller: Caller) -> Actor:
        """The one who presents a token."""
        return cls(caller.user, caller.username)


DAEMON = Actor(None, "snfd")
"""The daemon itself: timers, limits, start-up."""


async def record(
    tx: Transaction, actor: Actor, action: str, target: str, **details: object
) -> None:
    """Remember that ``actor`` did ``action`` to ``target``.

    :param action: ``user.deactivate``, ``project.suspend``, ``login.failed``.
    :param target: ``user:<uuid>``, ``project:<uuid>``, ``component:<name>``.
    :param details: what else is worth knowing; never a secret.
    """
    address = actor.address or ("" if actor is DAEMON else client_address())
    if address:
        details["address"] = address
    await tx.execute(
        "INSERT INTO ops.audit (actor, actor_name, action, target, request_id, details)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (actor.uuid, actor.name, action, target, request_id() or None, Jsonb(details)),
    )


MAX_PAGE = 1000
"""Entries of the trail that one answer holds."""


@frozen
class Entry:
    """What somebody did."""

    id: int
    at: datetime
    actor: UUID | None
    actor_name: str
    action: str
    target: str
    request_id: str | None
    details: Mapping[str, object]


@frozen
class Filter:
    """Which entries; what is None does not matter.

    :ivar actor: a uuid, or the name under which it was done.
    :ivar action: the whole action, or the first of its words: ``user``,
        ``user.deactivate``.
    :ivar target: as it was recorded, ``user:<uuid>``.
    :ivar since: and later.
    :ivar until: but not then.
    """

    actor: UUID | str | None = None
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@frozen
class Page:
    """Some entries, newest first.

    :ivar marker: shows the next page, or None where there is none.
    """

    entries: tuple[Entry, ...]
    marker: int | None


@frozen(eq=False)
class Trail:
    """Reads the audit trail."""

    db: Database

    async def page(
        self, wanted: Filter, limit: int = 100, marker: int | None = None
    ) -> Page:
        """Entries older than the one that ``marker`` names, or the newest.

        :raises Invalid: ``limit`` is not between 1 and `MAX_PAGE`.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise Invalid(f"limit must be between 1 and {MAX_PAGE}")
        terms = dict(_terms(wanted))
        if marker is not None:
            terms["id < %s"] = (marker,)
        where = " AND ".join(terms) or "true"
        rows = await self.db.read(
            "SELECT id, at, actor, coalesce(actor_name, ''), action, target,"
            f" request_id, details FROM ops.audit WHERE {where}"
            " ORDER BY id DESC LIMIT %s",
            [*(value for values in terms.values() for value in values), limit + 1],
        )
        entries = tuple(Entry(*row) for row in rows[:limit])
        return Page(entries, entries[-1].id if len(rows) > limit else None)


async def purge(tx: Transaction, before: datetime, limit: int) -> int:
    """Remove entries from before; how many, ``limit`` at most."""
    return await tx.execute(
        "DELETE FROM ops.audit WHERE id IN"
        " (SELECT id FROM ops.audit WHERE at < %s ORDER BY at LIMIT %s)",
        (before, limit),
    )


def _terms(wanted: Filter) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Conditions in SQL, each with its parameters."""
    if isinstance(wanted.actor, UUID):
        yield "actor = %s", (wanted.actor,)
    elif wanted.actor is not None:
        yield "actor_name = %s", (wanted.actor,)
    if wanted.action is not None:
        # what begins so, in the order of the index: the dot is followed by a slash
        yield (
            "(action = %s OR (action ~>=~ %s AND action ~<~ %s))",
            (wanted.action, f"{wanted.action}.", f"{wanted.action}/"),
        )
    if wanted.target is not None:
        yield "target = %s", (wanted.target,)
    if wanted.since is not None:
        yield "at >= %s", (wanted.since,)
    if wanted.until is not None:
        yield "at < %s", (wanted.until,)
