"""Telling people what opens their accounts, when that changes."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from snfd.db.port import Transaction


class Told(Protocol):
    """Tells somebody that there is another way into his account, or one less.

    Whoever got hold of a session makes one that outlives it; a letter is what its
    owner notices that by.
    """

    def __call__(
        self, tx: Transaction, user: UUID, what: str, at: datetime
    ) -> Awaitable[None]:
        """Have him told, once ``tx`` commits.

        :param what: what changed, on one line.
        """


async def untold(tx: Transaction, user: UUID, what: str, at: datetime) -> None:
    """Tells nobody: where there is no mail."""
