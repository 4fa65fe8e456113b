"""Key pairs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from snfd.compute.model import Keypair
from snfd.db.port import Database, Transaction

# %s twice: None for all of a user's, else only those of one project
_WITHIN = "(%s::uuid IS NULL OR project = %s)"
_COLUMNS = "id, name, owner, content, fingerprint, created, updated"


async def listed(db: Database, owner: UUID, project: UUID | None) -> list[Keypair]:
    """A user's key pairs, by name.

    :param project: here and below: only those of it; None for all.
    """
    rows = await db.read(
        f"SELECT {_COLUMNS} FROM compute.keypair WHERE owner = %s AND {_WITHIN}"
        " ORDER BY name",
        (owner, project, project),
    )
    return [Keypair(*row) for row in rows]


async def find(
    db: Database, owner: UUID, project: UUID | None, name: str
) -> Keypair | None:
    """A user's key pair, or None."""
    rows = await db.read(
        f"SELECT {_COLUMNS} FROM compute.keypair WHERE owner = %s AND name = %s"
        f" AND {_WITHIN}",
        (owner, name, project, project),
    )
    return Keypair(*rows[0]) if rows else None


async def contents(
    db: Database, owner: UUID, project: UUID | None, names: Sequence[str]
) -> dict[str, str]:
    """The public keys called ``names``; unknown ones are left out."""
    rows = await db.read(
        "SELECT name, content FROM compute.keypair WHERE owner = %s "
        f"AND name = ANY(%s::text[]) AND {_WITHIN}",
        (owner, list(names), project, project),
    )
    return dict(rows)


async def insert(
    tx: Transaction,
    owner: UUID,
    project: UUID | None,
    name: str,
    content: str,
    fingerprint: str,
    most: int,
) -> Keypair | None:
    """Store a key; None if the name is taken or the user has ``most`` keys.

    The user's keys are counted under a lock.
    """
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('keypair:' || %s, 0))",
        (str(owner),),
    )
    row = await tx.row(
        "INSERT INTO compute.keypair (owner, project, name, content, fingerprint) "
        "SELECT %(owner)s, %(project)s::uuid, %(name)s, %(content)s, "
        "%(fingerprint)s WHERE (SELECT "
        "count(*) FROM compute.keypair WHERE owner = %(owner)s) < %(most)s "
        f"ON CONFLICT (owner, name) DO NOTHING RETURNING {_COLUMNS}",
        {
            "owner": owner,
            "project": project,
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


async def delete(tx: Transaction, owner: UUID, project: UUID | None, name: str) -> bool:
    """Remove a key pair; False if there was none."""
    return bool(
        await tx.execute(
            f"DELETE FROM compute.keypair WHERE owner = %s AND name = %s AND {_WITHIN}",
            (owner, name, project, project),
        )
    )
