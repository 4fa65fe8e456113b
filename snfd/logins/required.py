"""Login methods that an account must have, before it is let in.

Source: ``spec/astakos.md`` §5.3, policy *required*. Passwords are never required:
who comes by another method has a proof already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import field, frozen

from snfd.db.port import Transaction
from snfd.errors import Forbidden
from snfd.logins.model import LOCAL, Method
from snfd.logins.policies import policies_of
from snfd.logins.port import Way
from snfd.tokens import digest

STATE = (
    "SELECT u.is_active, u.username, coalesce(string_agg(format("
    "   '%%s %%s', m.id, m.password_hash), ',' ORDER BY m.id), ''),"
    " coalesce(array_agg(m.module) FILTER (WHERE m.active), '{}')"
    " FROM identity.app_user u LEFT JOIN identity.login_method m ON m.user_id = u.uuid"
    " WHERE u.uuid = %s GROUP BY u.uuid"
)


@frozen
class Lacking:
    """Somebody who proved who he is and must add methods before he is let in.

    :ivar how: what he proved himself by.
    :ivar methods: names of those that he must add.
    :ivar mark: changes with his password and his methods.
    """

    user: UUID
    name: str
    how: tuple[str, ...]
    methods: tuple[str, ...]
    mark: str = field(repr=False)


@frozen(eq=False)
class Required:
    """Tells what an account lacks.

    :ivar ways: the configured methods.
    :ivar page: URL of the login page, for those who come without a browser.
    """

    ways: Mapping[str, Way]
    page: str = ""

    async def lacking(
        self, tx: Transaction, user: UUID, how: Sequence[str]
    ) -> Lacking | None:
        """What ``user`` lacks; None for nothing, and for accounts not in use."""
        if not self.ways.keys() - {LOCAL}:
            return None
        row = await tx.row(STATE, (user,))
        if row is None or not row[0]:
            return None
        missing = [
            method.name
            for method in self._others(row[3])
            if await self._needed(tx, method, user)
        ]
        if not missing:
            return None
        return Lacking(user, row[1], tuple(how), tuple(missing), digest(row[2]).hex())

    async def admit(self, tx: Transaction, user: UUID) -> None:
        """Pass if the account lacks nothing.

        :raises Forbidden: it does.
        """
        found = await self.lacking(tx, user, ())
        if found is not None:
            raise Forbidden(self.told(found))

    def told(self, lacking: Lacking) -> str:
        """The same for people."""
        titles = " and ".join(self.ways[name].method.title for name in lacking.methods)
        where = f" at {self.page}" if self.page else ""
        return (
            f"this account must have the login method {titles} as well:"
            f" sign in{where} with a browser, and add it"
        )

    def _others(self, attached: Sequence[str]) -> Sequence[Method]:
        had = {LOCAL, *attached}
        return [way.method for name, way in self.ways.items() if name not in had]

    @staticmethod
    async def _needed(tx: Transaction, method: Method, user: UUID) -> bool:
        policies = await policies_of(tx, method, user)
        # one that cannot be added would keep him out for ever
        return policies.required and policies.add and policies.login
