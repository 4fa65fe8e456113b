"""What people do with projects, over an API or as administrators.

`Projects` (in `snfd.projects.service`) answers which there are for tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal, TypeVar
from uuid import UUID

from attrs import frozen

from snfd.db.port import Row
from snfd.errors import Invalid, NotFound
from snfd.identity.model import Caller
from snfd.projects import acting, applications, view_store
from snfd.projects.acting import Order, visible
from snfd.projects.applications import Submitted
from snfd.projects.changes import Changes, Wording, check_wording, checked
from snfd.projects.parts import Parts
from snfd.projects.rules import Who
from snfd.projects.shown import Shown
from snfd.projects.states import ProjectState

T = TypeVar("T")
Mode = Literal["default", "member", "related", "active"]

Place = tuple[datetime, UUID]
"""Where in the order of their making: when one was made, and its uuid."""

FIRST: Place = datetime(1, 1, 1, tzinfo=UTC), UUID(int=0)

PAGE = 25
"""Rows that are looked at in one go, which takes a few milliseconds."""


@frozen
class Asked:
    """Which projects are wanted, and how many of them.

    :ivar name: exactly.
    :ivar after: the project that they follow; None for the first page.
    """

    name: str | None = None
    owner: UUID | None = None
    state: ProjectState | None = None
    mode: Mode = "default"
    private: bool | None = None
    system: bool | None = None
    after: UUID | None = None
    most: int = 1000


@frozen(eq=False)
class ProjectDesk:
    """Looking at projects, applying for them, deciding about them."""

    parts: Parts

    async def list(
        self, caller: Caller, asked: Asked, each: Callable[[Shown], T]
    ) -> Sequence[T]:
        """What ``each`` makes of the projects that the caller may see.

        They come in the order of their making, a few at a time, so that a
        long list holds nobody up.

        :raises Invalid: ``asked.after`` is no project.
        """
        who, found = Who.of(caller), list[T]()
        after = await self._place(asked.after)
        while len(found) < asked.most:
            size = min(PAGE, asked.most - len(found))
            rows = await self._page(caller, asked, after, size)
            shown = [view_store.shown(row) for row in rows]
            within = [one for one in shown if caller.in_reach(one.project.uuid)]
            found += [each(_for(who, one)) for one in within]
            if len(rows) < size:
                break
            after = shown[-1].project.created, shown[-1].project.uuid
        return found

    async def get(self, caller: Caller, uuid: UUID) -> Shown:
        """One project.

        :raises NotFound: there is none, or a private one of others.
        :raises Forbidden: it is not the caller's, and not open to all.
        """
        wanted = uuid if caller.in_reach(uuid) else None
        for row in await self.parts.db.read(view_store.PROJECT, (caller.user, wanted)):
            found = view_store.shown(row)
            who = Who.of(caller)
            visible(who, found.project, found.membership, _applicant(found))
            return _for(who, found)
        raise NotFound(f"there is no project {uuid}")

    async def submit(self, caller: Caller, wanted: Changes, said: Wording) -> Submitted:
        """Apply for a new project.

        :raises Invalid: it cannot be like that.
        :raises Conflict: the caller has too many undecided applications.
        """
        if wanted.name is None or wanted.ends is None:
            raise Invalid("a new project needs a name and an end_date")
        context = self.parts.context(Who.doing(caller))
        checked(wanted, context.now)
        check_wording(said)
        uuid = self.parts.new_id()
        return await self.parts.db.run(applications.submit, context, uuid, wanted, said)

    async def modify(
        self,
        caller: Caller,
        uuid: UUID,
        wanted: Changes,
        said: Wording,
        *,
        at_once: bool = False,
    ) -> Submitted:
        """Apply for changes to a project, or make them as administrator.

        :param at_once: make them.
        :raises Invalid: it cannot be like that.
        :raises Forbidden: only the owner applies, only administrators decide.
        :raises NotFound: there is no such project that the caller may see.
        :raises Conflict: it may not change like that, or not now.
        """
        context = self.parts.context(Who.doing(caller))
        checked(wanted, context.now, free_name=at_once)
        check_wording(said)
        if at_once:
            await self.parts.db.run(acting.apply_now, context, uuid, wanted)
            return Submitted(uuid, None)
        return await self.parts.db.run(acting.modify, context, uuid, wanted, said)

    async def act(self, caller: Caller, uuid: UUID, order: Order) -> None:
        """Decide about a project or its application, as far as one may.

        :raises Invalid: a decision about no application.
        :raises Forbidden: it is not the caller's to decide.
        :raises NotFound: no such project or application.
        :raises Conflict: not now; `Busy` where the states forbid it.
        """
        await self.parts.act(Who.doing(caller), uuid, order)

    async def _page(
        self, caller: Caller, asked: Asked, after: Place, size: int
    ) -> Sequence[Row]:
        state = asked.state and str(asked.state)
        args = (
            *(caller.user, caller.is_admin, asked.name, asked.owner, state),
            *(asked.private, asked.system, asked.mode, *after, size),
        )
        return await self.parts.db.read(view_store.PROJECTS, args)

    async def _place(self, uuid: UUID | None) -> Place:
        if uuid is None:
            return FIRST
        # also where he may not see it: a page may end with what was hidden since
        for (made,) in await self.parts.db.read(view_store.MADE, (uuid,)):
            return made, uuid
        raise Invalid(f"marker: there is no project {uuid}")


def _for(who: Who, found: Shown) -> Shown:
    """Without what only administrators, the owner and the applicant see."""
    near = who.owns(found.project.owner) or who.owns(_applicant(found))
    if who.is_admin or near:
        return found
    return Shown(found.project, found.limits, None, found.membership, near=False)


def _applicant(found: Shown) -> UUID | None:
    return found.application.applicant if found.application else None
