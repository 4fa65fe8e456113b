"""Key pairs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from snfd.compute.model import Keypair
from snfd.db.port import Database, Transaction

_COLUMNS = "id, name, owner, content, fingerprint, created, updated"


async def listed(db: Database, owner: UUID) -> list[Keypair]:
    """A user's key pairs, by name."""
    rows = await db.read(
        f"SELECT {_COLUMNS} FROM compute.keypair WHERE owner = %s ORDER BY name",
        (owner,),
    )
    return [Keypair(*row) for row in rows]


async def find(db: Database, owner: UUID, name: str) -> Keypair | None:
    """A user's key pair, or None."""
    rows = await db.read(
        f"SELECT {_COLUMNS} FROM compute.keypair WHERE owner = %s AND name = %s",
        (owner, name),
    )
    return Keypair(*rows[0]) if rows else None


async def contents(db: Database, owner: UUID, names: Sequence[str]) -> dict[str, str]:
    """The public keys called ``names``; unknown ones are left out."""
    rows = await db.read(
        "SELECT name, content FROM compute.keypair WHERE owner = %s "
        "AND name = ANY(%s::text[])",
        (owner, list(names)),
    )
    return dict(rows)


async def insert(
    tx: Transaction, owner: UUID, name: str, content: str, fingerprint: str, most: int
) -> Keypair | None:
    """Store a key; None if the name is taken or the user has ``most`` keys.

    The user's keys are counted under a lock.
    """
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('keypair:' || %s, 0))",
        (str(owner),),
    )
    row = await tx.row(
        "INSERT INTO compute.keypair (owner, name, content, fingerprint) "
        "SELECT %(owner)s, %(name)s, %(content)s, %(fingerprint)s WHERE (SELECT "
        "count(*) FROM compute.keypair WHERE owner = %(owner)s) < %(most)s "
        f"ON CONFLICT (owner, name) DO NOTHING RETURNING {_COLUMNS}",
        {
            "owner": owner,
            "name": name,
            "content": content,
            "fingerprint": fingerprint,
            "most": most,
        },
    )
    return None if row is None else Keypair(*row)


async def named(tx: Transaction, owner: UUID, name: str) -> bool:
    """Whether the user has a key pair of that name."""
    row = await tx.row(
        "SELECT 1 FROM compute.keypair WHERE owner = %s AND name = %s", (owner, name)
    )
    return row is not None


async def delete(tx: Transaction, owner: UUID, name: str) -> bool:
    """Remove a key pair; False if there was none."""
    return bool(
        await tx.execute(
            "DELETE FROM compute.keypair WHERE owner = %s AND name = %s", (owner, name)
        )
    )
