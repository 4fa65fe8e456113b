"""What is forgotten in time: letters, audit entries, commissions, hand-offs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from snfd import audit
from snfd.compute.store import secrets as handoffs
from snfd.mail import store as letters
from snfd.quota import commission_store as commissions
from snfd.retention import Keep, Retention

if TYPE_CHECKING:
    from snfd.db.port import Database
    from snfd.wiring import Ground


def retention(ground: Ground, db: Database) -> Retention:
    """Removes old rows of all kinds; those that are kept 0 days stay for ever."""
    config = ground.config
    keeps = [
        Keep(purge, timedelta(days=days))
        for purge, days in (
            (letters.purge, config.mail.keep_days),
            (audit.purge, config.audit.keep_days),
            (commissions.purge, config.quota.keep_days),
        )
        if days
    ]
    keeps.append(Keep(handoffs.purge, timedelta()))
    return Retention(ground.reactor, db, keeps)
