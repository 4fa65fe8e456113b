"""What must hold of a project's definition before it is stored."""

from __future__ import annotations

from uuid import UUID

from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict, Invalid
from snfd.projects import member_store
from snfd.projects.changes import NEW, Changes
from snfd.projects.context import Context
from snfd.projects.model import Record
from snfd.projects.states import ProjectState
from snfd.quota import service as quota


def fresh(uuid: UUID, wanted: Changes, context: Context, state: ProjectState) -> Record:
    """A project that is all ``wanted``, with what `NEW` says where that is silent."""
    full = wanted.over(NEW)
    return Record(
        uuid=uuid,
        name=full.name or "",
        owner=full.owner,
        state=state,
        is_system=False,
        private=bool(full.private),
        homepage=full.homepage or "",
        description=full.description or "",
        created=context.now,
        ends=full.ends,
        join_policy=full.join_policy or "moderated",
        leave_policy=full.leave_policy or "auto",
        max_members=full.max_members or 0,
        last_application=None,
        deactivated=None,
    )


def check_changeable(project: Record, wanted: Changes) -> None:
    """Pass if a project may change like that, whoever wants it.

    :raises Invalid: nothing would change.
    :raises Conflict: it is no more, or a person's own.
    """
    if wanted.empty:
        raise Invalid("there is nothing to change")
    if project.state in (ProjectState.UNINITIALIZED, ProjectState.DELETED):
        raise Busy(f"the project is {project.state}")
    if project.is_system and wanted.identifying:
        raise Conflict(
            "a person's own project keeps its name, owner, homepage and description"
        )


async def check_references(tx: Transaction, wanted: Changes, *, hidden: bool) -> None:
    """Pass if what ``wanted`` refers to is there.

    :param hidden: whether resources that the API does not show will do.
    :raises Invalid: a resource or the owner is not.
    """
    await quota.require_resources(tx, sorted(wanted.resources), hidden=hidden)
    if wanted.owner is not None and not await member_store.person(tx, wanted.owner):
        raise Invalid(f"owner: {wanted.owner} is no active user")
