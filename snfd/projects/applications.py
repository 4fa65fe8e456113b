"""Applications: for new projects, and for changes to those there are.

Source: ``spec/astakos.md`` §6.2, §6.3.
"""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from attrs import evolve, frozen

from snfd.db.port import Transaction
from snfd.errors import Busy, Conflict, Forbidden, Invalid, NotFound
from snfd.mail.model import Kind
from snfd.projects import application_store as store
from snfd.projects import lifecycle, members, pending
from snfd.projects import store as project_store
from snfd.projects.changes import NEW, Changes, Wording
from snfd.projects.context import Context
from snfd.projects.model import Record
from snfd.projects.requirements import check_changeable, check_references, fresh
from snfd.projects.rules import require_admin
from snfd.projects.shown import Application
from snfd.projects.states import (
    APPLICATION_STEPS,
    ApplicationEvent,
    ApplicationState,
    ProjectEvent,
    ProjectState,
    step,
)
from snfd.quota import service as quota


@frozen
class Submitted:
    """An application that waits now.

    :ivar application: None where the change was made at once.
    :ivar warning: what the applicant should know; empty for nothing.
    """

    project: UUID
    application: int | None
    warning: str = ""


async def submit(
    tx: Transaction, context: Context, uuid: UUID, wanted: Changes, said: Wording
) -> Submitted:
    """Apply for a new project, which has the id ``uuid``.

    :param wanted: with a name and an end.
    :raises Invalid: a resource, or the owner, that cannot be.
    :raises Conflict: the applicant has too many undecided applications.
    """
    applicant = _applicant(context)
    wanted = wanted.over(evolve(NEW, owner=applicant))
    await check_references(tx, wanted, hidden=context.who.is_admin)
    project = fresh(uuid, wanted, context, ProjectState.UNINITIALIZED)
    if not await project_store.insert(tx, project):
        raise Conflict(f"there is a project {uuid} already")
    await project_store.log(
        tx, uuid, (None, project.state), context.who.actor, context.now, context.reason
    )
    return await _apply(tx, context, project, wanted, said)


async def modify(
    tx: Transaction, context: Context, project: Record, wanted: Changes, said: Wording
) -> Submitted:
    """Apply for changes to a locked project, or once more for one denied.

    An application that waits already is replaced.

    :raises Forbidden: only its owner and administrators may.
    :raises Invalid: as `submit`; or nothing would change.
    :raises Conflict: as `submit`; or the project may not change like that.
    """
    if not (context.who.is_admin or context.who.owns(project.owner)):
        raise Forbidden("only a project's owner applies for changes")
    if project.state is ProjectState.UNINITIALIZED:
        return await _apply_again(tx, context, project, wanted, said)
    check_changeable(project, wanted)
    await check_references(tx, wanted, hidden=context.who.is_admin)
    return await _apply(tx, context, project, wanted, said)


async def approve(
    tx: Transaction,
    context: Context,
    project: Record,
    number: int,
    *,
    reactivate: bool = False,
    enroll_owner: bool = True,
) -> None:
    """Grant the last application for a locked project.

    :param reactivate: also make a suspended or terminated project active.
    :param enroll_owner: make a new project's owner its member.
    :raises Forbidden: not an administrator.
    :raises NotFound: no such application.
    :raises Conflict: another live project has the name, or the end has
        passed. `Busy`: it is not the last, or decided already.
    """
    require_admin(context.who)
    one = await _last(tx, project, number)
    await _settle(tx, context, one, ApplicationEvent.APPROVE)
    first = project.state is ProjectState.UNINITIALIZED
    await apply(
        tx,
        context,
        project,
        one.changes,
        reactivate=reactivate,
        enroll_owner=enroll_owner,
    )
    people = {one.applicant, one.changes.owner or one.applicant}
    await _tell(tx, context, project, one, sorted(people), Kind.PROJECT_APPROVED)
    await context.audit(
        tx, "project.approve", project.uuid, application=number, new=first
    )
    await _release(tx, one)


async def deny(tx: Transaction, context: Context, project: Record, number: int) -> None:
    """Refuse the last application for a locked project.

    A new project stays as it is, and may be applied for again.

    :raises Forbidden: as `approve`.
    :raises NotFound: as `approve`.
    :raises Busy: as `approve`.
    """
    require_admin(context.who)
    one = await _last(tx, project, number)
    await _settle(tx, context, one, ApplicationEvent.DENY)
    await _tell(tx, context, project, one, [one.applicant], Kind.PROJECT_DENIED)
    await context.audit(tx, "project.deny", project.uuid, application=number)
    await _release(tx, one)


async def withdraw(
    tx: Transaction,
    context: Context,
    project: Record,
    number: int,
    event: ApplicationEvent,
) -> None:
    """Take the last application back, or put a denied one away.

    A project that never was more than this application is deleted.

    :param event: ``CANCEL`` or ``DISMISS``.
    :raises Forbidden: only its applicant and administrators may.
    :raises NotFound: no such application.
    :raises Busy: it is not the last, or not in a state for it.
    """
    one = await _last(tx, project, number)
    if not context.who.is_admin and context.who.user != one.applicant:
        raise Forbidden("only the applicant may do that")
    await _settle(tx, context, one, event)
    if project.state is ProjectState.UNINITIALIZED:
        await context.move(tx, project, ProjectEvent.ABANDON)
    word = "cancel" if event is ApplicationEvent.CANCEL else "dismiss"
    await context.audit(tx, f"project.{word}", project.uuid, application=number)
    if event is ApplicationEvent.CANCEL:
        await _release(tx, one)


async def apply(
    tx: Transaction,
    context: Context,
    project: Record,
    wanted: Changes,
    *,
    reactivate: bool = False,
    enroll_owner: bool = True,
) -> None:
    """Make ``wanted`` true of a locked project, and quotas with it.

    :param reactivate: as `approve`.
    :param enroll_owner: also of a project that changes its owner.
    :raises Conflict: as `approve`.
    """
    new = project.state is ProjectState.UNINITIALIZED
    event = ProjectEvent.APPROVE if new else ProjectEvent.CHANGE
    after = evolve(
        project,
        name=wanted.name or project.name,
        owner=wanted.owner or project.owner,
        ends=wanted.ends or project.ends,
        max_members=project.max_members
        if wanted.max_members is None
        else wanted.max_members,
    )
    if reactivate or wanted.ends is not None:
        lifecycle.require_future(after, context.now)
    if not project.is_system and (reactivate or wanted.name is not None):
        await lifecycle.require_name(tx, after.name, project.uuid)
    await project_store.change(tx, project.uuid, wanted)
    state, _ = await context.move(
        tx, project, ProjectEvent.REACTIVATE if reactivate and not new else event
    )
    if enroll_owner and (new or after.owner != project.owner):
        await members.settle_owner(tx, context, evolve(after, state=state))
    if after.owner != project.owner:
        await context.audit(
            tx,
            "project.transfer",
            project.uuid,
            before=str(project.owner),
            after=str(after.owner),
        )
    await quota.open_project(tx, project.uuid, wanted.resources)


async def _apply(
    tx: Transaction, context: Context, project: Record, wanted: Changes, said: Wording
) -> Submitted:
    applicant = _applicant(context)
    older = await store.pending(tx, project.uuid)
    for one in older:
        await _settle(tx, context, one, ApplicationEvent.REPLACE)
    number = await store.insert(tx, project.uuid, applicant, wanted, said, context.now)
    await project_store.set_application(tx, project.uuid, number)
    new = project.state is ProjectState.UNINITIALIZED
    if context.letters is not None:
        told = evolve(project, description=wanted.description or project.description)
        await context.letters.applied(tx, told, number, applicant, said, new=new)
    await context.audit(tx, "project.apply", project.uuid, application=number)
    warning = await _warning(tx, wanted.name, project.uuid)
    counts = Counter([applicant])
    counts.subtract(one.applicant for one in older)
    await pending.count(tx, number, counts, force=context.who.is_admin)
    return Submitted(project.uuid, number, warning)


async def _apply_again(
    tx: Transaction, context: Context, project: Record, wanted: Changes, said: Wording
) -> Submitted:
    """A denied application for a new project, corrected (W13)."""
    last = await store.find(tx, project.uuid, project.last_application or 0)
    if last is None or last.state is not ApplicationState.DENIED:
        raise Busy("the project waits for the decision about its application")
    whole = wanted.over(last.changes)
    await check_references(tx, whole, hidden=context.who.is_admin)
    await project_store.change(tx, project.uuid, whole)
    renewed = fresh(project.uuid, whole, context, project.state)
    return await _apply(tx, context, renewed, whole, said)


async def _last(tx: Transaction, project: Record, number: int) -> Application:
    one = await store.find(tx, project.uuid, number)
    if one is None:
        raise NotFound(f"project {project.uuid} has no application {number}")
    if number != project.last_application:
        raise Busy(f"application {number} was followed by another")
    return one


async def _settle(
    tx: Transaction, context: Context, one: Application, event: ApplicationEvent
) -> None:
    after = step(APPLICATION_STEPS, one.state, event, "application")
    await store.settle(
        tx, one.id, after, context.who.actor, context.reason, context.now
    )


async def _tell(
    tx: Transaction,
    context: Context,
    project: Record,
    one: Application,
    people: list[UUID],
    kind: Kind,
) -> None:
    if context.letters is not None:
        await context.letters.decided(tx, project, one.id, people, kind, context.reason)


async def _warning(tx: Transaction, name: str | None, project: UUID) -> str:
    """W47: who applies for a name in use learns it now."""
    if name is None:
        return ""
    found = await project_store.find_live(tx, name)
    if found is not None and found != project:
        return f"a project {name!r} exists: this cannot be approved while it does"
    if await store.rival(tx, name, project):
        return f"somebody else has applied for {name!r}: only one can have it"
    return ""


async def _release(tx: Transaction, one: Application) -> None:
    await pending.count(tx, one.id, {one.applicant: -1}, force=True)


def _applicant(context: Context) -> UUID:
    if context.who.user is None:
        raise Invalid("only people apply; as administrator make the change itself")
    return context.who.user
