"""Which component presents a token."""

from __future__ import annotations

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database
from snfd.errors import Unauthorized
from snfd.registry import store
from snfd.registry.model import Component
from snfd.tokens import digest

MISSING = "the request needs a component's token, in X-Auth-Token"
REFUSED = "that is no component's token, or it has expired"


@frozen(eq=False)
class Components:
    """Tells which component presents a token, in one statement each time."""

    db: Database
    clock: Seconds

    async def __call__(self, token: str | None) -> Component:
        """Which component presents ``token``.

        :raises Unauthorized: none was given, it is nobody's (a user's token is
            none), or it has expired.
        """
        if not token:
            raise Unauthorized(MISSING)
        for row in await self.db.read(store.BY_TOKEN, (digest(token),)):
            found = store.component(row)
            if found.expires is None or found.expires > now(self.clock):
                return found
        raise Unauthorized(REFUSED)
