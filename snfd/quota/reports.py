"""What components may know of use and limits: of their own resources only."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Row
from snfd.errors import NotFound, TooLarge
from snfd.quota import report_store as store
from snfd.registry.model import Component

MOST = 1000
"""The most users, or projects, that one answer tells of."""

_NOTHING: Row = (0, None)


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
    """Tells components of use and limits, as JSON that PostgreSQL made."""

    db: Database

    async def of_users(self, component: Component, wanted: Wanted) -> bytes:
        """Members' numbers, of users with a verified e-mail.

        User → project → resource → ``usage limit pending`` and the same of the
        whole project, with ``project_`` before. A project that was left is
        there as long as something of it is used.

        :raises NotFound: users are named, and there is nothing of them.
        :raises TooLarge: more than `MOST` users, and no limit was given.
        """
        count, text = await self._of_users(component, wanted)
        if not count and wanted.users is not None:
            raise NotFound("there is no such user with resources of this component")
        return _bounded(count, text, wanted)

    async def of_projects(self, component: Component, wanted: Wanted) -> bytes:
        """Whole projects' numbers, of projects that were active at least once.

        Project → resource → ``project_limit project_usage project_pending``.

        :raises NotFound: projects are named, and there is nothing of them.
        :raises TooLarge: more than `MOST` projects, and no limit was given.
        """
        args = (component.id, wanted.projects, wanted.marker, wanted.most)
        ((count, text),) = await self.db.read(store.OF_PROJECTS, args)
        if not count and wanted.projects is not None:
            raise NotFound("there is no such project with resources of this component")
        return _bounded(count, text, wanted)

    async def _of_users(self, component: Component, wanted: Wanted) -> Row:
        users, projects = wanted.users, wanted.projects
        if users == [] or projects == []:
            return _NOTHING
        if users is not None and len(users) == 1 and len(projects or ()) <= 1:
            project = projects[0] if projects else None
            args = (component.id, users[0], project)
            return (await self.db.read(store.OF_USER, args))[0]
        rows = await self.db.read(
            store.OF_USERS,
            (component.id, users, projects, wanted.marker, wanted.most),
        )
        return rows[0]


def _bounded(count: int, text: str | None, wanted: Wanted) -> bytes:
    if wanted.limit is None and count > MOST:
        raise TooLarge(f"there are more than {MOST}: give limit= and marker=")
    return (text or "{}").encode()
