"""Tells owners what was done to their servers."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd.compute.history import Action, actions
from snfd.compute.store import history, servers
from snfd.db.port import Database
from snfd.errors import NotFound
from snfd.ganeti import names
from snfd.network.scope import Scope

MOST = 1000
"""Steps that are told of one server, from the newest on."""


@frozen(eq=False)
class Journal:
    """What was done to servers, as far as the outbox remembers."""

    db: Database

    async def of(self, scope: Scope, ident: int) -> Sequence[Action]:
        """What was done to a server, newest first.

        :raises NotFound: there is none in the scope.
        """
        if await servers.find(self.db, scope, ident) is None:
            raise NotFound(f"there is no server {ident}")
        subject = names.server_subject(ident)
        return actions(await history.steps(self.db, subject, MOST))
