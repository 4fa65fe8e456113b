"""Rows of servers' tags; whoever changes them has locked the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from snfd import outbox
from snfd.db.port import Database, Transaction
from snfd.ganeti import jobs, names
from snfd.ganeti.model import Event, Kind, Outcome

ADDED, ACTIVE, REMOVED = "PENDADD", "ACTIVE", "PENDDEL"
_GONE = "unknown_entity"
_KINDS = (Kind.CREATE, Kind.ADD_TAGS, Kind.REMOVE_TAGS)
_STATES = "SELECT name, state FROM compute.server_tag WHERE server = %s ORDER BY name"


async def shown(db: Database, server: int) -> Mapping[str, str]:
    """Each tag of a server with its state; none that is being removed."""
    rows = await db.read(_STATES, (server,))
    return {name: state for name, state in rows if state != REMOVED}


async def states(tx: Transaction, server: int) -> Mapping[str, str]:
    """Each tag of a server with its state."""
    return dict(await tx.rows(_STATES, (server,)))


async def put(
    tx: Transaction, server: int, tags: Iterable[str], state: str, intent: UUID
) -> None:
    """Have tags of a server wait for ``intent``."""
    await tx.execute(
        "INSERT INTO compute.server_tag (server, name, state, intent) "
        "SELECT %s, name, %s, %s FROM unnest(%s::text[]) AS name "
        "ON CONFLICT (server, name) DO UPDATE "
        "SET state = excluded.state, intent = excluded.intent",
        (server, state, intent, list(tags)),
    )


async def settled(tx: Transaction, server: int, outcome: Outcome) -> bool:
    """Write down what an outcome means for a locked server's tags.

    :returns: whether any of them changed.
    """
    if outcome.event is Event.REMOVE_FAILED:
        return await _withdrawn(tx, server, outcome)
    if outcome.intent is None or outcome.intent.kind not in _KINDS:
        return False
    rows = await tx.rows(
        "SELECT name FROM compute.server_tag WHERE server = %s AND intent = %s",
        (server, outcome.intent.id),
    )
    found = [name for (name,) in rows]
    there = [name for name in found if _there(outcome, name)]
    await _now(tx, server, there, [name for name in found if name not in there])
    return bool(found)


def _there(outcome: Outcome, tag: str) -> bool:
    """Whether an instance has ``tag`` after ``outcome``."""
    match outcome.event:
        case Event.CREATED | Event.TAGGED:
            return True
        case Event.TAG_FAILED | Event.UNTAG_FAILED if outcome.instance is not None:
            return names.user_tag(tag) in outcome.instance.tags
        case Event.UNTAG_FAILED:
            return outcome.job is None or jobs.error(outcome.job)[1] != _GONE
    return False


async def _withdrawn(tx: Transaction, server: int, outcome: Outcome) -> bool:
    """Give up what was withdrawn for a removal that then failed."""
    waiting = await outbox.open_entries(tx, outcome.subject)
    rows = await tx.rows(
        "SELECT name, state FROM compute.server_tag "
        "WHERE server = %s AND state <> 'ACTIVE' AND intent <> ALL(%s::uuid[])",
        (server, [str(each.intent.id) for each in waiting]),
    )
    there = [name for name, state in rows if state == REMOVED]
    await _now(tx, server, there, [name for name, state in rows if state == ADDED])
    return bool(rows)


async def _now(
    tx: Transaction, server: int, there: Sequence[str], gone: Sequence[str]
) -> None:
    await tx.execute(
        "UPDATE compute.server_tag SET state = 'ACTIVE' "
        "WHERE server = %s AND name = ANY(%s::text[])",
        (server, list(there)),
    )
    await tx.execute(
        "DELETE FROM compute.server_tag WHERE server = %s AND name = ANY(%s::text[])",
        (server, list(gone)),
    )
