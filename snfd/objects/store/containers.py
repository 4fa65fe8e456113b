"""Rows of accounts and containers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from snfd.db.port import Jsonb, Row, Statement, Transaction
from snfd.objects.model import (
    Account,
    Container,
    ContainerPath,
    Policy,
    Query,
    Versioning,
)

COLUMNS = (
    "c.id, c.account_id, a.uuid, c.name, c.versioning, c.quota, c.project,"
    " c.meta, c.created, c.mtime, c.n_cur, c.b_cur"
)
JOIN = " FROM store.container c JOIN store.account a ON a.id = c.account_id"

ACCOUNT = Statement(
    "store_account",
    "SELECT a.uuid, a.meta, a.created, a.mtime, count(c.id),"
    " coalesce(sum(c.n_cur), 0)::bigint, coalesce(sum(c.b_cur), 0)::bigint"
    " FROM store.account a LEFT JOIN store.container c ON c.account_id = a.id"
    " WHERE a.uuid = $1 GROUP BY a.id",
)

OTHERS = Statement(
    "store_accounts",
    "SELECT uuid, mtime FROM store.account WHERE uuid = ANY($1::uuid[])"
    " AND uuid::text > $2 ORDER BY uuid::text LIMIT $3",
)
"""Those of some accounts that somebody has used."""

CONTAINER = Statement(
    "store_container",
    f"SELECT {COLUMNS}{JOIN} WHERE a.uuid = $1 AND c.name = $2",
)

CONTAINERS = Statement(
    "store_containers",
    f"SELECT {COLUMNS}{JOIN}"
    " WHERE a.uuid = $1 AND c.name > $2 AND c.name >= $3"
    " AND ($4 = '' OR c.name < $4) AND starts_with(c.name, $3)"
    " ORDER BY c.name LIMIT $5",
)


def page(account: UUID, query: Query) -> tuple[object, ...]:
    """Parameters of `CONTAINERS` for ``query``."""
    return (account, query.after, query.prefix, query.before, query.limit)


def account(row: Row) -> Account:
    """A row of `ACCOUNT`."""
    return Account(
        uuid=row[0],
        meta=row[1],
        created=row[2],
        mtime=row[3],
        containers=row[4],
        objects=row[5],
        size=row[6],
    )


def container(row: Row) -> Container:
    """A row of `CONTAINER` or `CONTAINERS`."""
    return Container(
        id=row[0],
        account_id=row[1],
        path=ContainerPath(row[2], row[3]),
        policy=Policy(Versioning(row[4]), row[5], row[6]),
        meta=row[7],
        created=row[8],
        mtime=row[9],
        objects=row[10],
        size=row[11],
    )


async def ensure_account(tx: Transaction, uuid: UUID, now: datetime) -> int:
    """The id of the account, which is made if it is not there yet."""
    made = await tx.row(
        "INSERT INTO store.account (uuid, created, mtime) VALUES (%s, %s, %s)"
        " ON CONFLICT (uuid) DO NOTHING RETURNING id",
        (uuid, now, now),
    )
    if made is None:
        made = await tx.row("SELECT id FROM store.account WHERE uuid = %s", (uuid,))
        assert made is not None
    ident: int = made[0]
    return ident


async def lock_account_meta(tx: Transaction, ident: int) -> Mapping[str, str]:
    """The account's metadata; nobody else changes it until the end."""
    row = await tx.row(
        "SELECT meta FROM store.account WHERE id = %s FOR NO KEY UPDATE", (ident,)
    )
    assert row is not None
    meta: Mapping[str, str] = row[0]
    return meta


async def set_account_meta(
    tx: Transaction, ident: int, meta: Mapping[str, str], now: datetime
) -> None:
    """Replace the account's metadata."""
    await tx.execute(
        "UPDATE store.account SET meta = %s, mtime = %s WHERE id = %s",
        (Jsonb(dict(meta)), now, ident),
    )


async def get(
    tx: Transaction, path: ContainerPath, lock: str = "FOR KEY SHARE"
) -> Container | None:
    """The container, which cannot vanish until the end; or None.

    :param lock: one of PostgreSQL's row locks, for the container alone.
    """
    row = await tx.row(
        f"SELECT {COLUMNS}{JOIN} WHERE a.uuid = %s AND c.name = %s {lock} OF c",
        (path.account, path.container),
    )
    return None if row is None else container(row)


async def insert(
    tx: Transaction,
    account_id: int,
    name: str,
    policy: Policy,
    meta: Mapping[str, str],
    now: datetime,
) -> bool:
    """Make a container; whether it was not there before."""
    made = await tx.execute(
        "INSERT INTO store.container (account_id, name, project, quota,"
        " versioning, meta, created, mtime) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (account_id, name) DO NOTHING",
        (
            account_id,
            name,
            policy.project,
            policy.quota,
            policy.versioning.value,
            Jsonb(dict(meta)),
            now,
            now,
        ),
    )
    return made == 1


async def update(
    tx: Transaction,
    ident: int,
    policy: Policy,
    meta: Mapping[str, str],
    now: datetime,
) -> None:
    """Replace a container's policy (but for the project) and metadata."""
    await tx.execute(
        "UPDATE store.container SET quota = %s, versioning = %s, meta = %s,"
        " mtime = %s WHERE id = %s",
        (policy.quota, policy.versioning.value, Jsonb(dict(meta)), now, ident),
    )


async def delete(tx: Transaction, ident: int) -> None:
    """Remove an empty container with what is left of its history."""
    await tx.execute(
        "WITH gone AS (DELETE FROM store.version v USING store.object o"
        " WHERE v.object_id = o.id AND o.container_id = %s RETURNING v.map_id),"
        " released AS (SELECT map_id, count(*) AS n FROM gone"
        " WHERE map_id IS NOT NULL GROUP BY map_id)"
        " UPDATE store.map m SET refs = m.refs - r.n,"
        " zero_since = CASE WHEN m.refs = r.n THEN now() END"
        " FROM released r WHERE m.id = r.map_id",
        (ident,),
    )
    await tx.execute("DELETE FROM store.object WHERE container_id = %s", (ident,))
    await tx.execute("DELETE FROM store.container WHERE id = %s", (ident,))


async def count(
    tx: Transaction,
    ident: int,
    *,
    current: tuple[int, int],
    history: tuple[int, int],
    now: datetime,
) -> int:
    """Add to the container's counters; the current bytes afterwards.

    :param current: objects and bytes to add, may be negative.
    :param history: versions and bytes to add, may be negative.
    """
    row = await tx.row(
        "UPDATE store.container SET n_cur = n_cur + %s, b_cur = b_cur + %s,"
        " n_hist = n_hist + %s, b_hist = b_hist + %s, mtime = greatest(mtime, %s)"
        " WHERE id = %s RETURNING b_cur",
        (*current, *history, now, ident),
    )
    assert row is not None
    size: int = row[0]
    return size
