"""Who looks after the cloud, and gets letters because of that."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd.db.port import Transaction
from snfd.identity import people_store
from snfd.identity.model import ADMIN

MAX_ADMINS = 20
"""Administrators that get letters, those with the oldest accounts."""


@frozen(eq=False)
class Staff:
    """Addresses from the configuration and the database, each once.

    Source: ``spec/astakos.md`` §5.8.

    :ivar helpdesk: ``[mail] helpdesk``.
    :ivar managers: ``[mail] managers``.
    """

    helpdesk: Sequence[str] = ()
    managers: Sequence[str] = ()

    async def moderators(self, tx: Transaction) -> Sequence[str]:
        """Who hears of accounts that wait: helpdesk, managers, administrators."""
        return _once(self.helpdesk, self.managers, await self._admins(tx))

    async def deciders(self, tx: Transaction) -> Sequence[str]:
        """Who hears of applications: helpdesk and managers, else administrators."""
        return _once(self.helpdesk, self.managers) or await self._admins(tx)

    async def listeners(self, tx: Transaction) -> Sequence[str]:
        """Who hears of feedback: the helpdesk, else administrators."""
        return _once(self.helpdesk) or await self._admins(tx)

    async def _admins(self, tx: Transaction) -> Sequence[str]:
        return await people_store.addresses(tx, ADMIN, MAX_ADMINS)


def _once(*several: Sequence[str]) -> Sequence[str]:
    return tuple(dict.fromkeys(one for addresses in several for one in addresses))
