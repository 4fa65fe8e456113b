"""A server's metadata: few, short texts that its owner attaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from snfd.compute import rules
from snfd.compute.actions import changeable
from snfd.compute.store import rows
from snfd.db.port import Database, Transaction
from snfd.errors import NotFound
from snfd.identity.model import Caller, require_writer
from snfd.network.scope import Scope

Texts = Mapping[str, str]
Change = Callable[[Texts], Texts]


@frozen(eq=False)
class Metadata:
    """Metadata of servers.

    Every method raises `NotFound` where the scope has no such server,
    `Invalid` where it is gone, `Forbidden` where it is suspended or the
    caller only reads.
    """

    db: Database

    async def merge(
        self, caller: Caller, scope: Scope, ident: int, more: Texts
    ) -> Texts:
        """Add ``more`` to what there is; all of it then.

        :raises Invalid: too many items, or one too long.
        """
        return await self._change(caller, scope, ident, lambda old: {**old, **more})

    async def replace(
        self, caller: Caller, scope: Scope, ident: int, wanted: Texts
    ) -> Texts:
        """Have ``wanted`` and nothing else.

        :raises Invalid: too many items, or one too long.
        """
        return await self._change(caller, scope, ident, lambda _: wanted)

    async def remove(self, caller: Caller, scope: Scope, ident: int, key: str) -> None:
        """Remove one item.

        :raises NotFound: there is none of that key.
        """

        def without(old: Texts) -> Texts:
            if key not in old:
                raise NotFound(f"there is no metadata item {key!r}")
            return {name: value for name, value in old.items() if name != key}

        await self._change(caller, scope, ident, without)

    async def _change(
        self, caller: Caller, scope: Scope, ident: int, change: Change
    ) -> Texts:
        require_writer(caller)
        return await self.db.run(self._changed, scope, ident, change)

    async def _changed(
        self, tx: Transaction, scope: Scope, ident: int, change: Change
    ) -> Texts:
        server = await changeable(tx, scope, ident)
        wanted = rules.metadata(change(server.metadata))
        await rows.metadata(tx, ident, wanted)
        return wanted
