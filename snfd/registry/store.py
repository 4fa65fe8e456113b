"""SQL of components and services (in schema ``identity``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from snfd.db.port import Jsonb, Row, Statement, Transaction
from snfd.registry.model import Component, Endpoint, Service

_COMPONENT = """
    c.id, c.name, c.base_url, c.ui_url, c.created_at, c.token_hash IS NOT NULL,
    c.token_created_at, c.token_expires_at
"""

BY_TOKEN = Statement(
    "registry_by_token",
    f"SELECT {_COMPONENT} FROM identity.component c WHERE c.token_hash = $1",
)
"""The component with this sha256 of a token: (hash) → a row for `component`."""

COMPONENTS = Statement(
    "registry_components",
    f"""
    SELECT {_COMPONENT} FROM identity.component c
     WHERE ($1::text IS NULL OR c.name > $1) ORDER BY c.name LIMIT $2
    """,
)
"""Components: (name before the first, most) → rows for `component`."""

_SERVICE = "s.name, s.type, c.name, s.endpoints, s.builtin, c.ui_url"

SERVICES = Statement(
    "registry_services",
    f"""
    SELECT {_SERVICE}
      FROM identity.service s JOIN identity.component c ON c.id = s.component_id
     WHERE ($1::text IS NULL OR s.name > $1) AND ($2::text IS NULL OR c.name = $2)
     ORDER BY s.name LIMIT $3
    """,
)
"""Services: (name before the first, component or None, most) → rows for `service`."""

OTHERS = Statement(
    "registry_others",
    f"""
    SELECT {_SERVICE}
      FROM identity.service s JOIN identity.component c ON c.id = s.component_id
     WHERE NOT s.builtin ORDER BY s.id LIMIT $1
    """,
)
"""Services of other programs: (most) → rows for `service`, oldest first."""


def component(row: Row) -> Component:
    """The component in a row of the statements above."""
    return Component(*row)


def service(row: Row) -> Service:
    """The service in a row of the statements above."""
    return Service(*row)


async def find(tx: Transaction, name: str, *, lock: bool = False) -> Component | None:
    """The component called ``name``; with ``lock`` nobody else changes it."""
    row = await tx.row(
        f"SELECT {_COMPONENT} FROM identity.component c WHERE c.name = %s"
        + (" FOR NO KEY UPDATE" if lock else ""),
        (name,),
    )
    return None if row is None else component(row)


async def insert(
    tx: Transaction, name: str, base_url: str | None, ui_url: str | None, now: datetime
) -> bool:
    """Add a component without a token; False where the name is taken."""
    return await tx.execute(
        "INSERT INTO identity.component (name, base_url, ui_url, created_at)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT (name) DO NOTHING",
        (name, base_url, ui_url, now),
    ) == 1  # fmt: skip


async def set_urls(
    tx: Transaction, name: str, base_url: str | None, ui_url: str | None
) -> None:
    """Write where a component is."""
    await tx.execute(
        "UPDATE identity.component SET base_url = %s, ui_url = %s WHERE name = %s",
        (base_url, ui_url, name),
    )


async def set_token(
    tx: Transaction, name: str, hash_: bytes, now: datetime, expires: datetime | None
) -> None:
    """Write the hash of a component's token, instead of the one before.

    :raises Conflict: (at the database's door) another component has the token.
    """
    await tx.execute(
        "UPDATE identity.component SET token_hash = %s, token_created_at = %s,"
        " token_expires_at = %s WHERE name = %s",
        (hash_, now, expires, name),
    )


async def remove(tx: Transaction, name: str) -> None:
    """Remove a component with its services."""
    await tx.execute("DELETE FROM identity.component WHERE name = %s", (name,))


async def purge(tx: Transaction, component_id: int) -> list[str]:
    """Remove the services of a component; their names."""
    rows = await tx.rows(
        "DELETE FROM identity.service WHERE component_id = %s RETURNING name",
        (component_id,),
    )
    return sorted(row[0] for row in rows)


async def services_named(
    tx: Transaction, names: Sequence[str], types: Sequence[str]
) -> list[Service]:
    """The services that have one of the names or types."""
    rows = await tx.rows(
        f"""
        SELECT {_SERVICE}
          FROM identity.service s JOIN identity.component c ON c.id = s.component_id
         WHERE s.name = ANY(%s::text[]) OR s.type = ANY(%s::text[])
        """,
        (list(names), list(types)),
    )
    return [service(row) for row in rows]


async def upsert_service(
    tx: Transaction,
    component_id: int,
    name: str,
    type_: str,
    endpoints: Sequence[Endpoint],
    *,
    builtin: bool = False,
) -> None:
    """Add a service, or replace its type and all its endpoints."""
    await tx.execute(
        """
        INSERT INTO identity.service (component_id, name, type, endpoints, builtin)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (name) DO UPDATE
           SET component_id = excluded.component_id, type = excluded.type,
               endpoints = excluded.endpoints, builtin = excluded.builtin
         WHERE (service.component_id, service.type, service.endpoints, service.builtin)
               IS DISTINCT FROM (excluded.component_id, excluded.type,
                                 excluded.endpoints, excluded.builtin)
        """,
        (component_id, name, type_, Jsonb([dict(one) for one in endpoints]), builtin),
    )


async def pending(tx: Transaction, name: str) -> int:
    """How many commissions of a component are pending."""
    row = await tx.row(
        "SELECT count(*) FROM quota.commission WHERE clientkey = %s", (name,)
    )
    assert row is not None
    return int(row[0])


_LOCK = 0x736E6653


async def lock(tx: Transaction) -> None:
    """Keep others from registering services until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


async def upsert_component(
    tx: Transaction, name: str, base_url: str, ui_url: str
) -> None:
    """Add a component of this daemon, or write where it is."""
    await tx.execute(
        """
        INSERT INTO identity.component AS c (name, base_url, ui_url)
        VALUES (%s, %s, %s)
        ON CONFLICT (name) DO UPDATE
           SET base_url = excluded.base_url, ui_url = excluded.ui_url
         WHERE (c.base_url, c.ui_url)
               IS DISTINCT FROM (excluded.base_url, excluded.ui_url)
        """,
        (name, base_url, ui_url),
    )


async def has_builtin(tx: Transaction, component_id: int) -> bool:
    """Whether a component has services of this daemon."""
    row = await tx.row(
        "SELECT 1 FROM identity.service WHERE component_id = %s AND builtin",
        (component_id,),
    )
    return row is not None


async def services_of(tx: Transaction, component: str) -> list[Service]:
    """All services of a component, by name."""
    rows = await tx.rows(
        f"""
        SELECT {_SERVICE}
          FROM identity.service s JOIN identity.component c ON c.id = s.component_id
         WHERE c.name = %s ORDER BY s.name
        """,
        (component,),
    )
    return [service(row) for row in rows]


async def owners(tx: Transaction, resources: Sequence[str]) -> dict[str, str]:
    """Whose each of ``resources`` is; those that are nobody's are missing."""
    rows = await tx.rows(
        """
        SELECT r.name, c.name
          FROM quota.resource r
          JOIN identity.service s ON s.name = r.service_origin
          JOIN identity.component c ON c.id = s.component_id
         WHERE r.name = ANY(%s::text[])
        """,
        (list(resources),),
    )
    return dict(rows)
