"""Who looks after the cloud, and gets letters because of that."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from snfd.db.port import Transaction
from snfd.identity import groups

MAX_ADMINS = 20
"""Administrators that get letters, those with the oldest accounts."""


def _tuple(addresses: Sequence[str]) -> tuple[str, ...]:
    return tuple(addresses)


@frozen(eq=False)
class Staff:
    """Addresses from the configuration and the database, each once.

    :ivar helpdesk: ``[mail] helpdesk``.
    :ivar managers: ``[mail] managers``.
    """

    helpdesk: tuple[str, ...] = field(default=(), converter=_tuple)
    managers: tuple[str, ...] = field(default=(), converter=_tuple)

    async def moderators(self, tx: Transaction) -> tuple[str, ...]:
        """Who hears of accounts that wait: helpdesk, managers, administrators."""
        return _once(self.helpdesk, self.managers, await self._admins(tx))

    async def deciders(self, tx: Transaction) -> tuple[str, ...]:
        """Who hears of applications: helpdesk and managers, else administrators."""
        return _once(self.helpdesk, self.managers) or await self._admins(tx)

    async def listeners(self, tx: Transaction) -> tuple[str, ...]:
        """Who hears of feedback: the helpdesk, else administrators."""
        return _once(self.helpdesk) or await self._admins(tx)

    async def _admins(self, tx: Transaction) -> tuple[str, ...]:
        return await groups.addresses(tx, "admin", MAX_ADMINS)


def _once(*several: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for addresses in several for one in addresses))
