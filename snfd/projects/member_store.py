"""SQL of memberships (schema ``identity``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.audit import Actor
from snfd.db.port import Row, Transaction
from snfd.projects.model import Record
from snfd.projects.rules import Terms
from snfd.projects.states import MembershipState


@frozen
class Membership:
    """How a person stands to a project.

    :ivar id: 0 where there is no row yet.
    :ivar active: whether the person's account is.
    """

    id: int
    user: UUID
    project: UUID
    state: MembershipState
    active: bool


def membership(row: Row) -> Membership:
    """The membership in (number, person, project, state, active)."""
    return Membership(row[0], row[1], row[2], MembershipState(row[3]), row[4])


async def project_of(tx: Transaction, number: int) -> UUID | None:
    """The project of a membership, which never changes."""
    sql = "SELECT project_id FROM identity.membership WHERE id = %s"
    row = await tx.row(sql, (number,))
    return None if row is None else row[0]


async def take(
    tx: Transaction,
    project: UUID,
    *,
    number: int | None = None,
    user: UUID | None = None,
) -> Membership | None:
    """Lock and read a membership in a locked project, by number or person."""
    row = await tx.row(
        """
        SELECT m.id, m.user_id, m.project_id, m.state, u.is_active
          FROM identity.membership m JOIN identity.app_user u ON u.uuid = m.user_id
         WHERE m.project_id = %(project)s
           AND (m.id = %(number)s OR m.user_id = %(user)s)
           FOR NO KEY UPDATE OF m
        """,
        {"project": project, "number": number, "user": user},
    )
    if row is None:
        return None
    return membership(row)


async def person(tx: Transaction, user: UUID) -> bool | None:
    """Whether a user's account is active; None where there is none."""
    sql = "SELECT is_active FROM identity.app_user WHERE uuid = %s"
    row = await tx.row(sql, (user,))
    return None if row is None else row[0]


async def accepted_person(tx: Transaction, email: str) -> UUID | None:
    """The user with this e-mail or username, in lower case, who was let in."""
    row = await tx.row(
        "SELECT uuid FROM identity.app_user WHERE email_verified"
        " AND moderation = 'accepted' AND (email = %(name)s OR username = %(name)s)",
        {"name": email},
    )
    return None if row is None else row[0]


async def terms(tx: Transaction, record: Record) -> Terms:
    """What of a locked project decides who may be in it."""
    row = await tx.row(
        "SELECT count(*) FROM identity.membership WHERE project_id = %s"
        " AND state IN ('accepted', 'leave_requested', 'suspended')",
        (record.uuid,),
    )
    assert row is not None
    return Terms(
        record.state,
        record.owner,
        record.is_system,
        record.join_policy,
        record.leave_policy,
        record.max_members,
        row[0],
    )


async def put(
    tx: Transaction, user: UUID, project: UUID, state: MembershipState
) -> int:
    """Write the state of a membership, made if it is not there; its number.

    Whoever was accepted once has holdings for ever.
    """
    row = await tx.row(
        """
        INSERT INTO identity.membership (user_id, project_id, state, initialized)
        VALUES (%(user)s, %(project)s, %(state)s, %(state)s = 'accepted')
        ON CONFLICT (user_id, project_id) DO UPDATE SET state = excluded.state,
            initialized = membership.initialized OR excluded.initialized
        RETURNING id
        """,
        {"user": user, "project": project, "state": str(state)},
    )
    assert row is not None
    number: int = row[0]
    return number


async def set_role(tx: Transaction, user: UUID, project: UUID, role: str) -> None:
    """Write what a member may do."""
    await tx.execute(
        "UPDATE identity.membership SET role = %s"
        " WHERE user_id = %s AND project_id = %s",
        (role, user, project),
    )


async def log(
    tx: Transaction,
    number: int,
    states: tuple[MembershipState, MembershipState],
    actor: Actor,
    now: datetime | None,
    reason: str = "",
    because_of: UUID | None = None,
) -> int:
    """Remember that a membership changed its state; the entry's number.

    :param states: from and to.
    :param now: None for the database's time.
    :param because_of: whose deactivation, or activation, did it.
    """
    before, after = states
    was = None if before is MembershipState.NONE else str(before)
    row = await tx.row(
        "INSERT INTO identity.membership_log (membership_id, from_state, to_state,"
        " at, actor, actor_name, reason, because_of)"
        " VALUES (%s, %s, %s, coalesce(%s, now()), %s, %s, %s, %s) RETURNING id",
        (number, was, str(after), now, actor.uuid, actor.name, reason, because_of),
    )
    assert row is not None
    entry: int = row[0]
    return entry


async def in_states(
    tx: Transaction,
    user: UUID,
    states: Sequence[MembershipState],
    because_of: UUID | None = None,
) -> Sequence[Membership]:
    """Lock and read the memberships of ``user`` in ``states``, by number.

    :param because_of: only those that came to it by that person's
        deactivation; None for all.
    """
    rows = await tx.rows(
        """
        SELECT m.id, m.user_id, m.project_id, m.state, true
          FROM identity.membership m
         WHERE m.user_id = %(user)s AND m.state = ANY(%(states)s::text[])
           AND (%(cause)s::uuid IS NULL OR %(cause)s = (
                SELECT l.because_of FROM identity.membership_log l
                 WHERE l.membership_id = m.id ORDER BY l.id DESC LIMIT 1))
         ORDER BY m.id FOR NO KEY UPDATE OF m
        """,
        {
            "user": user,
            "states": [str(state) for state in states],
            "cause": because_of,
        },
    )
    return [membership(row) for row in rows]


async def addresses(tx: Transaction, project: UUID, most: int) -> Sequence[str]:
    """E-mails of the owner and of members with a place, the owner's first.

    People whose accounts are not active are left out.
    """
    rows = await tx.rows(
        """
        SELECT u.email FROM (
            SELECT owner_id AS who, 0 AS rank FROM identity.project
             WHERE uuid = %(project)s
            UNION ALL
            SELECT user_id, id FROM identity.membership
             WHERE project_id = %(project)s
               AND state IN ('accepted', 'leave_requested', 'suspended')
        ) AS told JOIN identity.app_user u ON u.uuid = told.who
         WHERE u.is_active ORDER BY told.rank LIMIT %(most)s
        """,
        {"project": project, "most": most},
    )
    return [row[0] for row in rows]


async def address(tx: Transaction, user: UUID | None) -> tuple[str, str] | None:
    """E-mail and name of an active user; None where there is no such."""
    row = await tx.row(
        "SELECT email, coalesce(nullif(trim(first_name || ' ' || last_name), ''),"
        " username) FROM identity.app_user WHERE uuid = %s AND is_active",
        (user,),
    )
    return None if row is None else (row[0], row[1])
