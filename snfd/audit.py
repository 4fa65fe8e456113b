"""The audit trail: who did what with special rights, or to an account.

Written in the transaction that does it, so neither is ever there alone.
"""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from snfd.db.port import Jsonb, Transaction
from snfd.identity.model import Caller
from snfd.observe import request_id


@frozen
class Actor:
    """Who does something.

    :ivar uuid: None for nobody in particular: a stranger, or the daemon itself.
    :ivar name: his username, ``root`` on the daemon's socket, or ``snfd``.
    :ivar address: where he connects from, if anybody asked for something.
    """

    uuid: UUID | None
    name: str
    address: str = ""

    @classmethod
    def of(cls, caller: Caller) -> Actor:
        """The one who presents a token."""
        return cls(caller.user, caller.username)


DAEMON = Actor(None, "snfd")
"""The daemon itself: timers, limits, start-up."""


async def record(
    tx: Transaction, actor: Actor, action: str, target: str, **details: object
) -> None:
    """Remember that ``actor`` did ``action`` to ``target``.

    :param action: ``user.deactivate``, ``project.suspend``, ``login.failed``.
    :param target: ``user:<uuid>``, ``project:<uuid>``, ``component:<name>``.
    :param details: what else is worth knowing; never a secret.
    """
    if actor.address:
        details["address"] = actor.address
    await tx.execute(
        "INSERT INTO ops.audit (actor, actor_name, action, target, request_id, details)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (actor.uuid, actor.name, action, target, request_id() or None, Jsonb(details)),
    )
