"""Users and projects for tests of object storage and images."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from attrs import evolve

from snfd.db.port import Transaction
from snfd.identity.model import Caller
from snfd.quota import service as quota
from snfd.quota.model import RESOURCES, UNLIMITED, Limit

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
BOTH = frozenset({"reader", "member"})


async def join(tx: Transaction, user: UUID, project: UUID, role: str) -> None:
    """Make ``user`` a member of ``project``."""
    await tx.execute(
        "INSERT INTO identity.membership (user_id, project_id, role, state,"
        " initialized) VALUES (%s, %s, %s, 'accepted', true)",
        (user, project, role),
    )
    await quota.refresh(tx, project)


async def project(
    tx: Transaction, uuid: UUID, name: str, owner: UUID, space: int = UNLIMITED
) -> None:
    """Make a project whose members may store ``space`` bytes."""
    await tx.execute(
        "INSERT INTO identity.project (uuid, name, owner_id, is_system, created_at,"
        " join_policy, leave_policy) VALUES (%s, %s, %s, %s, %s, 'closed', 'closed')",
        (uuid, name, owner, uuid == owner, LONG_AGO),
    )
    await quota.open_project(tx, uuid, {"pithos.diskspace": Limit(space, space)})


async def person(tx: Transaction, name: str, space: int = UNLIMITED) -> Caller:
    """Make a user with an own project; the caller that his token resolves to."""
    uuid = uuid4()
    await tx.execute(
        "INSERT INTO identity.app_user (uuid, username, email, email_verified,"
        " moderation, is_active, joined_at, updated_at)"
        " VALUES (%s, %s, %s, true, 'accepted', true, %s, %s)",
        (uuid, name, f"{name}@localhost", LONG_AGO, LONG_AGO),
    )
    await quota.register(tx, RESOURCES)
    await project(tx, uuid, f"system:{name}", uuid, space)
    await join(tx, uuid, uuid, "member")
    return Caller(
        user=uuid,
        username=name,
        project=uuid,
        project_name=f"system:{name}",
        roles=BOTH,
        projects=frozenset({uuid}),
        token_hash=bytes(32),
        expires=FOREVER,
    )


def scoped(caller: Caller, to: UUID, role: str = "member") -> Caller:
    """``caller`` with a token for the project ``to``."""
    roles = BOTH if role == "member" else frozenset({"reader"})
    projects = caller.projects | {to}
    return evolve(caller, project=to, roles=roles, projects=projects)
