"""Flavors as users see them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd.compute.model import Flavor
from snfd.compute.store import catalog as store
from snfd.db.port import Database
from snfd.errors import NotFound
from snfd.identity.model import Caller


@frozen(eq=False)
class Flavors:
    """Sizes that servers come in."""

    db: Database

    async def list(
        self,
        caller: Caller,
        public: bool | None = None,
        marker: int | None = None,
        limit: int = 10_000,
    ) -> Sequence[Flavor]:
        """Flavors by id; one more than ``limit`` if there are more.

        :param public: only public ones, only others, or both (None).
        """
        projects = sorted(caller.projects)
        return await store.listed(self.db, projects, public, marker, limit + 1)

    async def show(self, caller: Caller, ident: int) -> Flavor:
        """One flavor; also a deleted one, or one that a server of his has.

        :raises NotFound: the caller sees none.
        """
        projects = sorted(caller.projects)
        found = await store.find(self.db, ident, projects, caller.owner)
        if found is None:
            raise NotFound(f"there is no flavor {ident}")
        return found
