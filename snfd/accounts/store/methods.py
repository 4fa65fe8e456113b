"""SQL of the ways in which people log in, as the admin API shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from snfd.accounts.model import Method
from snfd.db.port import Jsonb, Row, Statement, Transaction

OF = Statement(
    "login_methods_of",
    """
    SELECT user_id, module, identifier, active, affiliation, info
      FROM identity.login_method WHERE user_id = ANY($1::uuid[]) ORDER BY id
    """,
)
"""Everybody's: (uuids) → rows for `methods`."""


def methods(rows: Iterable[Row]) -> dict[UUID, list[Method]]:
    """Each person's."""
    found: dict[UUID, list[Method]] = {}
    for user, *rest in rows:
        found.setdefault(user, []).append(Method(*rest))
    return found


async def describe(
    tx: Transaction, user: UUID, affiliation: str | None, info: Mapping[str, str] | None
) -> None:
    """Say something of the password of a person; None leaves what is there."""
    await tx.execute(
        """
        UPDATE identity.login_method
           SET affiliation = coalesce(%s, affiliation), info = coalesce(%s, info)
         WHERE user_id = %s AND module = 'local'
        """,
        (affiliation, None if info is None else Jsonb(dict(info)), user),
    )
