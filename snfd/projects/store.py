"""SQL of projects and memberships (in schema ``identity``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import asdict

from snfd.audit import Actor
from snfd.db.port import Row, Statement, Transaction
from snfd.db.sql import changes_to, row_of
from snfd.projects.changes import Changes
from snfd.projects.model import Project, Record
from snfd.projects.states import ProjectState

_COLUMNS = "p.uuid, p.name, p.description, p.owner_id, p.is_system, p.state = 'active'"

OF_USER = Statement(
    "projects_of_user",
    f"""
    SELECT {_COLUMNS}
      FROM identity.membership m JOIN identity.project p ON p.uuid = m.project_id
     WHERE m.user_id = $1 AND m.state IN ('accepted', 'leave_requested')
       AND p.state = 'active' AND ($2::text IS NULL OR lower(p.name) = lower($2))
       AND ($3::boolean IS NULL
            OR (p.is_system, p.name, p.uuid) > ($3, $4::text, $5::uuid))
     ORDER BY p.is_system, p.name, p.uuid LIMIT $6
    """,
)
"""Someone's: (user, name or None, place of the last one seen, most) → rows for
`project`; a place is three values, see `PLACE`."""

ALL = Statement(
    "projects_all",
    f"""
    SELECT {_COLUMNS} FROM identity.project p
     WHERE p.state IN ('active', 'suspended')
       AND ($1::text IS NULL OR lower(p.name) = lower($1))
       AND ($2::boolean IS NULL
            OR (p.is_system, p.name, p.uuid) > ($2, $3::text, $4::uuid))
     ORDER BY p.is_system, p.name, p.uuid LIMIT $5
    """,
)
"""All: (name or None, place of the last one seen, most) → rows for `project`."""

PLACE = Statement(
    "projects_place",
    "SELECT is_system, name, uuid FROM identity.project WHERE uuid = $1",
)
"""Where a project stands in these lists: (uuid) → the three values."""

ONE = Statement(
    "projects_one",
    f"""
    SELECT {_COLUMNS} FROM identity.project p
     WHERE p.uuid = $1 AND p.state IN ('active', 'suspended')
       AND ($3 OR EXISTS (
            SELECT 1 FROM identity.membership m
             WHERE m.project_id = p.uuid AND m.user_id = $2
               AND m.state IN ('accepted', 'leave_requested')))
    """,
)


def project(row: Row) -> Project:
    """The project in a row of the statements above."""
    return Project(*row)


RECORD = (
    "p.uuid, p.name, p.owner_id, p.state, p.is_system, p.private, p.homepage,"
    " p.description, p.created_at, p.ends_at, p.join_policy, p.leave_policy,"
    " p.max_members, p.last_application, p.deactivated_at"
)
"""The columns of `record`, of table ``p``."""

WIDTH = 15
"""How many those are."""

_NAMES = {"owner": "owner_id", "ends": "ends_at", "created": "created_at"}


def record(row: Row) -> Record:
    """The project in a row of `RECORD`."""
    return Record(
        uuid=row[0], name=row[1], owner=row[2], state=ProjectState(row[3]),
        is_system=row[4], private=row[5], homepage=row[6], description=row[7],
        created=row[8], ends=row[9], join_policy=row[10], leave_policy=row[11],
        max_members=row[12], last_application=row[13], deactivated=row[14],
    )  # fmt: skip


async def insert(tx: Transaction, one: Record) -> bool:
    """Add a project; False where its uuid or live name exists."""
    columns = _columns(asdict(one, filter=lambda a, _: a.name != "deactivated"))
    columns["state"] = str(one.state)
    sql = f"INSERT INTO identity.project {row_of(columns)} ON CONFLICT DO NOTHING"
    return await tx.execute(sql, columns) == 1


async def take(tx: Transaction, uuid: UUID) -> Record | None:
    """Lock and read a project, whatever its state; None where there is none."""
    row = await tx.row(
        f"SELECT {RECORD} FROM identity.project p WHERE uuid = %s FOR NO KEY UPDATE",
        (uuid,),
    )
    return None if row is None else record(row)


async def change(tx: Transaction, uuid: UUID, wanted: Changes) -> None:
    """Write properties of a locked project; limits are not among them.

    Another end lets its people be warned of it anew.
    """
    given = asdict(wanted, filter=lambda a, value: value is not None)
    del given["resources"]
    columns = _columns(given)
    if not columns:
        return
    also = ", warned_days = NULL" if wanted.ends is not None else ""
    await tx.execute(
        f"UPDATE identity.project SET {changes_to(columns)}{also} WHERE uuid = %(it)s",
        {**columns, "it": uuid},
    )


async def set_state(
    tx: Transaction, uuid: UUID, state: ProjectState, now: datetime
) -> None:
    """Write the state of a locked project, and since when it is not active."""
    since = None if state is ProjectState.ACTIVE else now
    await tx.execute(
        "UPDATE identity.project SET state = %s, deactivated_at = %s WHERE uuid = %s",
        (str(state), since, uuid),
    )


async def set_application(tx: Transaction, uuid: UUID, application: int) -> None:
    """Note which application for a locked project is the last."""
    await tx.execute(
        "UPDATE identity.project SET last_application = %s WHERE uuid = %s",
        (application, uuid),
    )


async def log(
    tx: Transaction,
    project: UUID,
    states: tuple[ProjectState | None, ProjectState],
    actor: Actor,
    now: datetime,
    reason: str = "",
    because_of: UUID | None = None,
) -> int:
    """Remember that a project changed its state; the entry's number.

    :param states: from (None: it was made) and to.
    :param because_of: whose deactivation, or activation, did it.
    """
    before, after = states
    row = await tx.row(
        "INSERT INTO identity.project_log (project_id, from_state, to_state, at,"
        " actor, actor_name, reason, because_of)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (
            project, before and str(before), str(after), now,
            actor.uuid, actor.name, reason, because_of,
        ),
    )  # fmt: skip
    assert row is not None
    number: int = row[0]
    return number


async def of_person(tx: Transaction, user: UUID) -> Sequence[UUID]:
    """The projects that ``user`` owns or stands to in some way, in order."""
    rows = await tx.rows(
        """
        SELECT uuid FROM identity.project WHERE owner_id = %(user)s
        UNION SELECT project_id FROM identity.membership WHERE user_id = %(user)s
        ORDER BY 1
        """,
        {"user": user},
    )
    return [row[0] for row in rows]


async def cause(tx: Transaction, project: UUID) -> UUID | None:
    """Whose deactivation brought a locked project to its state, if one did."""
    row = await tx.row(
        "SELECT because_of FROM identity.project_log WHERE project_id = %s"
        " ORDER BY id DESC LIMIT 1",
        (project,),
    )
    return None if row is None else row[0]


async def warned(tx: Transaction, uuid: UUID, days: int) -> bool:
    """Note that a project's people are warned ``days`` before its end; False
    where they were already, that long before or later.
    """
    return (
        await tx.execute(
            "UPDATE identity.project SET warned_days = %(days)s WHERE uuid = %(it)s"
            " AND (warned_days IS NULL OR warned_days > %(days)s)",
            {"days": days, "it": uuid},
        )
        == 1
    )


async def set_default(
    tx: Transaction, user: UUID, project: UUID, now: datetime
) -> None:
    """Let unscoped tokens of ``user`` act in ``project``."""
    own = None if user == project else project
    await tx.execute(
        "UPDATE identity.app_user SET default_project = %s, updated_at = %s"
        " WHERE uuid = %s",
        (own, now, user),
    )


async def forget_default(
    tx: Transaction, project: UUID, user: UUID | None = None
) -> None:
    """Let people whose default ``project`` is fall back to their own.

    :param user: only this one; None for everybody.
    """
    await tx.execute(
        "UPDATE identity.app_user SET default_project = NULL"
        " WHERE default_project = %(project)s"
        " AND (%(user)s::uuid IS NULL OR uuid = %(user)s)",
        {"project": project, "user": user},
    )


async def find_live(tx: Transaction, name: str) -> UUID | None:
    """The active or suspended project called ``name``, in any case of letters."""
    row = await tx.row(
        "SELECT uuid FROM identity.project WHERE lower(name) = lower(%s)"
        " AND state IN ('active', 'suspended') AND NOT is_system",
        (name,),
    )
    return None if row is None else row[0]


async def lock(tx: Transaction, uuid: UUID) -> bool:
    """Lock a live project; False where there is none."""
    row = await tx.row(
        "SELECT 1 FROM identity.project WHERE uuid = %s"
        " AND state IN ('active', 'suspended') FOR NO KEY UPDATE",
        (uuid,),
    )
    return row is not None


async def is_user(tx: Transaction, user: UUID) -> bool:
    """Whether there is such a user, active or not, who was let in and did not leave."""
    sql = (
        "SELECT 1 FROM identity.app_user WHERE uuid = %s AND email_verified"
        " AND moderation = 'accepted'"
    )
    return await tx.row(sql, (user,)) is not None


def _columns(given: Mapping[str, object]) -> dict[str, object]:
    return {_NAMES.get(name, name): value for name, value in given.items()}
