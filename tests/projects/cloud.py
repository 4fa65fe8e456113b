"""Callers and shorthands for tests of projects' services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from snfd.identity.model import Caller
from snfd.projects.acting import Order
from snfd.projects.application_store import pending
from snfd.projects.changes import Changes, Wording
from snfd.projects.shown import Application
from snfd.projects.wired import ProjectServices
from snfd.quota.model import Limit
from tests.identity.cloud import START, IdentityCloud

VM = "cyclades.vm"
END = START + timedelta(days=400)


def caller(user: UUID, *, admin: bool = False) -> Caller:
    """Somebody who presents a token."""
    roles = frozenset({"reader", "member"} | ({"admin"} if admin else set()))
    return Caller(
        user, f"user {user}", user, "own", roles, frozenset({user}), bytes(32), END
    )


def wanted(name: str, **more: object) -> Changes:
    """A new project's definition, which grants ten servers, four to each."""
    limits = {VM: Limit(10, 4)}
    return Changes(name=name, ends=END, resources=limits, **more)  # type: ignore[arg-type]


def approved(cloud: IdentityCloud, owner: UUID, name: str, **more: object) -> UUID:
    """A project that ``owner`` applied for and got."""
    parts: ProjectServices = cloud.project_parts
    done = cloud.wait(parts.desk.submit(caller(owner), wanted(name, **more), Wording()))
    order = Order("approve", application=done.application)
    cloud.wait(parts.desk.act(caller(owner, admin=True), done.project, order))
    return done.project


def undecided(cloud: IdentityCloud, project: UUID) -> Sequence[Application]:
    """The applications for a project that wait."""
    return cloud.wait(cloud.db.run(pending, project))
