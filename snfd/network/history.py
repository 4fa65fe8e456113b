"""Why addresses come to servers and leave them, for those who ask later.

What happened is noted by the database itself (``compute.ip_event``).
"""

from __future__ import annotations

from snfd.db.port import Transaction


async def because(tx: Transaction, reason: str) -> None:
    """Have what happens to addresses in the rest of ``tx`` be noted with a reason."""
    await tx.execute("SELECT set_config('snfd.reason', %s, true)", (reason,))
