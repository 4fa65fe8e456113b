"""Looking up groups, their members, and who is what in which project."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database
from snfd.errors import Forbidden, NotFound
from snfd.identity import directory_store as store
from snfd.identity import people_store
from snfd.identity.directory_model import Assignment
from snfd.identity.model import Caller, Group, User, may_see

MAX_LIST = 1000
"""The most that one answer holds."""


@frozen(eq=False)
class Directory:
    """Answers administrators, and everybody about himself."""

    db: Database

    async def groups(
        self, caller: Caller, name: str | None = None
    ) -> tuple[Sequence[Group], bool]:
        """All groups, and whether there are more than an answer holds.

        :param name: only the one called so.
        :raises Forbidden: the caller is no administrator.
        """
        _administrator(caller)
        return await self._groups(name, None, None)

    async def groups_of(
        self, caller: Caller, user: UUID
    ) -> tuple[Sequence[Group], bool]:
        """Someone's groups, to himself or an administrator; otherwise as `groups`.

        :raises Forbidden: it is somebody else.
        """
        if not may_see(caller, user):
            raise Forbidden("only administrators see other people's groups")
        return await self._groups(None, None, user)

    async def group(self, caller: Caller, number: int) -> Group:
        """One group.

        :raises Forbidden: the caller is no administrator.
        :raises NotFound: there is none.
        """
        _administrator(caller)
        found, _ = await self._groups(None, number, None)
        if not found:
            raise NotFound(f"there is no group {number}")
        return found[0]

    async def members(self, caller: Caller, number: int) -> tuple[Sequence[User], bool]:
        """Who is in a group, and whether there are more.

        :raises Forbidden: as `group`.
        :raises NotFound: as `group`.
        """
        await self.group(caller, number)
        rows = await self.db.read(store.MEMBERS, (number, MAX_LIST + 1))
        people = [people_store.user(row) for row in rows[:MAX_LIST]]
        return people, len(rows) > MAX_LIST

    async def is_member(self, caller: Caller, number: int, user: UUID) -> bool:
        """Whether somebody is in a group.

        :raises Forbidden: as `group`.
        :raises NotFound: as `group`.
        """
        one = await self.group(caller, number)
        found, _ = await self._groups(None, None, user)
        return one in found

    async def assignments(
        self, caller: Caller, user: UUID | None = None, project: UUID | None = None
    ) -> tuple[Sequence[Assignment], bool]:
        """Who is what where, and whether there are more than an answer holds.

        Whoever is no administrator learns only what he is himself.

        :param user: only him.
        :param project: only there.
        """
        if not caller.is_admin:
            if user not in (None, caller.user):
                return [], False
            user = caller.user
        if caller.confined:
            if project not in (None, caller.project):
                return [], False
            project = caller.project
        rows = await self.db.read(store.ASSIGNMENTS, (user, project, MAX_LIST + 1))
        return [store.assignment(row) for row in rows[:MAX_LIST]], len(rows) > MAX_LIST

    async def _groups(
        self, name: str | None, number: int | None, member: UUID | None
    ) -> tuple[Sequence[Group], bool]:
        args = (name, number, member, MAX_LIST + 1)
        rows = await self.db.read(store.GROUPS, args)
        return [store.group(row) for row in rows[:MAX_LIST]], len(rows) > MAX_LIST


def _administrator(caller: Caller) -> None:
    if not caller.is_admin:
        raise Forbidden("only administrators see all groups")
