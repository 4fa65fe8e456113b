"""SQL of applications (schema ``identity``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from snfd.audit import Actor
from snfd.db.port import Jsonb, Row, Transaction
from snfd.projects.changes import Changes, Wording, changes
from snfd.projects.shown import Application
from snfd.projects.states import ApplicationState

COLUMNS = (
    "a.id, a.project_id, a.applicant, a.state, a.changes, a.comments, a.start_date,"
    " a.issued_at, a.response"
)
"""The columns of `application`, of table ``a``."""

WIDTH = 9
"""How many those are."""


def application(row: Row) -> Application:
    """The application in a row of `COLUMNS`."""
    return Application(
        row[0],
        row[1],
        row[2],
        ApplicationState(row[3]),
        changes(row[4]),
        Wording(row[5], row[6]),
        row[7],
        row[8],
    )


async def insert(
    tx: Transaction,
    project: UUID,
    applicant: UUID,
    wanted: Changes,
    said: Wording,
    now: datetime,
) -> int:
    """Add a pending application for a locked project; its number."""
    row = await tx.row(
        "INSERT INTO identity.application (project_id, applicant, changes, comments,"
        " start_date, issued_at) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
        (project, applicant, Jsonb(wanted.stored()), said.comments, said.start, now),
    )
    assert row is not None
    number: int = row[0]
    return number


async def find(tx: Transaction, project: UUID, number: int) -> Application | None:
    """An application for a project, which is locked."""
    row = await tx.row(
        f"SELECT {COLUMNS} FROM identity.application a"
        " WHERE a.id = %s AND a.project_id = %s",
        (number, project),
    )
    return None if row is None else application(row)


async def pending(tx: Transaction, project: UUID) -> Sequence[Application]:
    """The undecided applications for a locked project: one, or none."""
    rows = await tx.rows(
        f"SELECT {COLUMNS} FROM identity.application a"
        " WHERE a.project_id = %s AND a.state = 'pending' ORDER BY a.id",
        (project,),
    )
    return [application(row) for row in rows]


async def settle(
    tx: Transaction,
    number: int,
    state: ApplicationState,
    actor: Actor,
    reason: str,
    now: datetime,
) -> None:
    """Write what became of an application."""
    await tx.execute(
        "UPDATE identity.application SET state = %s, responded_at = %s,"
        " response = %s, responder = %s WHERE id = %s",
        (str(state), now, reason, actor.uuid, number),
    )


async def rival(tx: Transaction, name: str, project: UUID) -> bool:
    """Whether another undecided application asks for ``name``, in any case."""
    row = await tx.row(
        "SELECT 1 FROM identity.application WHERE state = 'pending'"
        " AND lower(changes ->> 'name') = lower(%s) AND project_id <> %s LIMIT 1",
        (name, project),
    )
    return row is not None


async def undecided(tx: Transaction) -> dict[UUID, int]:
    """How many undecided applications each applicant has, who has any."""
    rows = await tx.rows(
        "SELECT applicant, count(*) FROM identity.application"
        " WHERE state = 'pending' GROUP BY applicant"
    )
    return dict(rows)
