"""The time of day from a reactor's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Seconds(Protocol):
    """Anything that tells seconds since the epoch, as reactors do."""

    def seconds(self) -> float:
        """Seconds since 1970 UTC."""


def now(clock: Seconds) -> datetime:
    """The current time by ``clock``, aware, in UTC."""
    return datetime.fromtimestamp(clock.seconds(), UTC)
