"""What components may know of use and limits: of their own resources only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Row
from snfd.errors import NotFound, TooLarge
from snfd.quota import report_store as store
from snfd.quota.model import WHOLE_PROJECT, Holding, Key, Usage
from snfd.registry.model import Component

MOST = 1000
"""The most users, or projects, that one answer tells of."""

OfUsers = Mapping[UUID, Mapping[UUID, Mapping[str, Usage]]]
"""User → project → resource → use and limits."""

OfProjects = Mapping[UUID, Mapping[str, Holding]]
"""Project → resource → the whole project's holding."""


@frozen
class Wanted:
    """Of whom to tell.

    :ivar users: only these; None for all.
    :ivar projects: only these; None for all.
    :ivar limit: how many users (or projects) at most; None for all of them.
    :ivar marker: the user (or project) before the first.
    """

    users: Sequence[UUID] | None = None
    projects: Sequence[UUID] | None = None
    limit: int | None = None
    marker: UUID | None = None

    @property
    def most(self) -> int:
        """How many to look for: one more than is told where all are wanted."""
        return MOST + 1 if self.limit is None else min(self.limit, MOST)


@frozen(eq=False)
class Reports:
    """Tells components of use and limits."""

    db: Database

    async def of_users(self, component: Component, wanted: Wanted) -> OfUsers:
        """Members' numbers, of users with a verified e-mail.

        :raises NotFound: users are named, and there is nothing of them.
        :raises TooLarge: more than `MOST` users, and no limit was given.
        """
        found: dict[UUID, dict[UUID, dict[str, Usage]]] = {}
        for user, project, resource, *numbers in await self._rows(component, wanted):
            member = Holding(Key(project, user, resource), *numbers[:3])
            whole = Holding(Key(project, WHOLE_PROJECT, resource), *numbers[3:])
            told = found.setdefault(user, {}).setdefault(project, {})
            told[resource] = Usage.of(member, whole)
        if not found and wanted.users is not None:
            raise NotFound("there is no such user with resources of this component")
        _bounded(found, wanted)
        return found

    async def of_projects(self, component: Component, wanted: Wanted) -> OfProjects:
        """Whole projects' numbers, of projects that were active at least once.

        :raises NotFound: projects are named, and there is nothing of them.
        :raises TooLarge: more than `MOST` projects, and no limit was given.
        """
        found: dict[UUID, dict[str, Holding]] = {}
        args = (component.id, wanted.projects, wanted.marker, wanted.most)
        for project, resource, *numbers in await self.db.read(store.OF_PROJECTS, args):
            key = Key(project, WHOLE_PROJECT, resource)
            found.setdefault(project, {})[resource] = Holding(key, *numbers)
        if not found and wanted.projects is not None:
            raise NotFound("there is no such project with resources of this component")
        _bounded(found, wanted)
        return found

    async def _rows(self, component: Component, wanted: Wanted) -> Sequence[Row]:
        users, projects = wanted.users, wanted.projects
        if users == [] or projects == []:
            return []
        if users is not None and len(users) == 1 and len(projects or ()) <= 1:
            project = projects[0] if projects else None
            args = (component.id, users[0], project)
            return await self.db.read(store.OF_USER, args)
        return await self.db.read(
            store.OF_USERS,
            (component.id, users, projects, wanted.marker, wanted.most),
        )


def _bounded(found: Iterable[UUID], wanted: Wanted) -> None:
    if wanted.limit is None and len(list(found)) > MOST:
        raise TooLarge(f"there are more than {MOST}: give limit= and marker=")
