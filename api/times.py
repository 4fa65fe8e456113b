"""Moments as the dialects write them, all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def whole_z(at: datetime) -> str:
    """Nova, neutron and glance: ``2026-01-02T03:04:05Z``."""
    return f"{_bare(at, 'seconds')}Z"


def micros_z(at: datetime) -> str:
    """Keystone: ``2026-01-02T03:04:05.000006Z``."""
    return f"{_bare(at, 'microseconds')}Z"


def micros_offset(at: datetime) -> str:
    """Synnefo and Pithos: ``2026-01-02T03:04:05.000006+00:00``."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def micros_bare(at: datetime) -> str:
    """Swift's listings, nova's usage: ``2026-01-02T03:04:05.000006``."""
    return _bare(at, "microseconds")


def epoch(at: datetime, digits: int) -> str:
    """Seconds since 1970 with that many digits behind the point."""
    return f"{at.timestamp():.{digits}f}"


def http_date(at: datetime) -> str:
    """HTTP: ``Fri, 02 Jan 2026 03:04:05 GMT``."""
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _bare(at: datetime, to: str) -> str:
    # two thirds of what strftime takes
    return at.astimezone(UTC).isoformat(timespec=to).removesuffix("+00:00")
