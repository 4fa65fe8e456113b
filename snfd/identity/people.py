"""Use cases of identity: who people are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Forbidden, Invalid, NotFound, TooLarge
from snfd.identity import people_store as store
from snfd.identity.model import Caller, Names, User, may_see
from snfd.identity.names import as_uuid, normalised

MAX_NAMES = 1000
"""The most names, or uuids, that one look-up takes."""

MAX_EVERYONE = 10_000
"""The most people that a component is told of at once."""

MAX_LIST = 1000
"""The most people that one answer holds."""


async def find_user(tx: Transaction, name: str) -> UUID | None:
    """The user with this username or e-mail, which he verified; or None."""
    return await store.find_user(tx, name)


@frozen(eq=False)
class People:
    """Answers who people are."""

    db: Database

    async def get(self, caller: Caller, uuid: UUID) -> User:
        """A person, to himself or an administrator.

        :raises Forbidden: it is somebody else.
        :raises NotFound: there is none, or he left.
        """
        if not may_see(caller, uuid):
            raise Forbidden("only administrators see other people")
        for row in await self.db.read(store.USER, (uuid,)):
            return store.user(row)
        raise NotFound(f"there is no user {uuid}")

    async def visible(
        self,
        caller: Caller,
        name: str | None = None,
        marker: UUID | None = None,
        limit: int = MAX_LIST,
    ) -> tuple[Sequence[User], bool]:
        """All people for an administrator, else the caller alone, by username;
        and whether there are more.

        :param name: only whoever has this username or e-mail.
        :param marker: only those after this one.
        :param limit: so many at most, `MAX_LIST` anyway.
        :raises Invalid: the marker is nobody that the caller sees.
        """
        only = None if caller.is_admin else caller.user
        wanted = None if name is None else normalised(name)
        after = None if marker is None else await self._place(caller, marker)
        most = min(limit, MAX_LIST)
        rows = await self.db.read(store.USERS, (only, wanted, after, most + 1))
        return [store.user(row) for row in rows[:most]], len(rows) > most

    async def _place(self, caller: Caller, marker: UUID) -> str:
        try:
            return (await self.get(caller, marker)).username
        except (Forbidden, NotFound):
            raise Invalid(f"marker {marker} is no user") from None

    async def names(
        self,
        uuids: Sequence[str],
        names: Sequence[str],
        projects: Collection[UUID] = (),
    ) -> Names:
        """Who is who, keyed by the spelling that was asked.

        Unknown ones are left out.

        :param projects: those whose uuids stand for their names, too: they have
            object accounts, and kamaki asks for the name of each that it lists.
        :raises TooLarge: more than `MAX_NAMES` of either.
        """
        if max(len(uuids), len(names)) > MAX_NAMES:
            raise TooLarge(f"at most {MAX_NAMES} uuids and {MAX_NAMES} displaynames")
        return Names(await self._by_uuid(uuids, projects), await self._by_name(names))

    async def everyone(self) -> Names:
        """Everybody with a verified e-mail.

        :raises TooLarge: they are more than `MAX_EVERYONE`.
        """
        rows = await self.db.read(store.EVERYONE, (MAX_EVERYONE + 1,))
        if len(rows) > MAX_EVERYONE:
            raise TooLarge(f"there are more than {MAX_EVERYONE} people: name some")
        found = {str(uuid): username for uuid, username in rows}
        return Names(found, {name: uuid for uuid, name in found.items()})

    async def _by_uuid(
        self, texts: Sequence[str], projects: Collection[UUID]
    ) -> dict[str, str]:
        asked = {text: uuid for text in texts if (uuid := as_uuid(text))}
        if not asked:
            return {}
        wanted = (list(asked.values()), sorted(projects))
        rows = await self.db.read(store.NAMES_BY_UUID, wanted)
        found = {row[0]: row[1] for row in rows}
        return {text: found[uuid] for text, uuid in asked.items() if uuid in found}

    async def _by_name(self, texts: Sequence[str]) -> dict[str, str]:
        asked = {text: normalised(text) for text in texts}
        if not asked:
            return {}
        rows = await self.db.read(store.UUIDS_BY_NAME, (list(asked.values()),))
        found = {key: str(row[2]) for row in rows for key in row[:2]}
        return {text: found[name] for text, name in asked.items() if name in found}
