"""A server's tags: short texts that its instance carries as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from uuid import UUID

from attrs import frozen

from snfd import outbox
from snfd.compute import rules
from snfd.compute.actions import changeable
from snfd.compute.model import Locked
from snfd.compute.store import servers
from snfd.compute.store import tags as store
from snfd.db.port import Database, Transaction
from snfd.errors import NotFound
from snfd.ganeti import names, requests
from snfd.identity.model import Caller, require_writer
from snfd.network.scope import Scope

States = Mapping[str, str]
"""Tags, each ``ACTIVE`` or, while its cluster has yet to be told, ``PENDADD``."""

Change = Callable[[Set[str]], Set[str]]


@frozen(eq=False)
class Tags:
    """Tags of servers.

    Every method raises `NotFound` where the scope has no such server; those that
    change something raise `Invalid` where it is gone, `Forbidden` where it is
    suspended or the caller only reads.
    """

    db: Database
    new_id: Callable[[], UUID]
    request_id: Callable[[], str | None]

    async def show(self, scope: Scope, ident: int) -> States:
        """A server's tags."""
        if await servers.find(self.db, scope, ident) is None:
            raise NotFound(f"there is no server {ident}")
        return await store.shown(self.db, ident)

    async def add(self, caller: Caller, scope: Scope, ident: int, tag: str) -> bool:
        """Add a tag; whether it was not there.

        :raises Invalid: it is no proper one, or there are too many.
        """
        rules.tags([tag])
        before, _ = await self._change(caller, scope, ident, lambda old: old | {tag})
        return tag not in before

    async def replace(
        self, caller: Caller, scope: Scope, ident: int, wanted: Sequence[str]
    ) -> States:
        """Have ``wanted`` and nothing else; the tags then.

        :raises Invalid: one is no proper one, or they are too many.
        """
        rules.tags(wanted)
        _, after = await self._change(caller, scope, ident, lambda _: set(wanted))
        return after

    async def remove(self, caller: Caller, scope: Scope, ident: int, tag: str) -> None:
        """Remove a tag.

        :raises NotFound: it is not there.
        """

        def without(old: Set[str]) -> Set[str]:
            if tag not in old:
                raise NotFound(f"there is no tag {tag!r}")
            return old - {tag}

        await self._change(caller, scope, ident, without)

    async def clear(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Remove all tags.

        :raises NotFound: there is none.
        """

        def without(old: Set[str]) -> Set[str]:
            if not old:
                raise NotFound("the server has no tags")
            return set()

        await self._change(caller, scope, ident, without)

    async def _change(
        self, caller: Caller, scope: Scope, ident: int, change: Change
    ) -> tuple[Set[str], States]:
        require_writer(caller)
        return await self.db.run(self._changed, caller, scope, ident, change)

    async def _changed(
        self, tx: Transaction, caller: Caller, scope: Scope, ident: int, change: Change
    ) -> tuple[Set[str], States]:
        server = await changeable(tx, scope, ident)
        found = await store.states(tx, ident)
        old = {name for name, state in found.items() if state != store.REMOVED}
        wanted = change(old)
        rules.tags(sorted(wanted))
        await self._told(tx, caller, server, old - wanted, store.REMOVED)
        await self._told(tx, caller, server, wanted - old, store.ADDED)
        after = {name: found[name] for name in wanted & old}
        after.update(dict.fromkeys(wanted - old, store.ADDED))
        return old, dict(sorted(after.items()))

    async def _told(
        self,
        tx: Transaction,
        caller: Caller,
        server: Locked,
        tags: Set[str],
        state: str,
    ) -> None:
        """Have the cluster add tags, or remove them."""
        if not tags:
            return
        make = requests.add_tags if state == store.ADDED else requests.remove_tags
        made = requests.intent(
            self.new_id(), server.cluster, names.server_subject(server.id),
            make(server.id, [names.user_tag(tag) for tag in sorted(tags)]),
            actor=caller.user, request_id=self.request_id(),
        )  # fmt: skip
        await outbox.put(tx, made)
        await store.put(tx, server.id, sorted(tags), state, made.id)
