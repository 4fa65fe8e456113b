"""SQL for clusters, their leases, statistics and findings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from snfd import outbox
from snfd.db.port import Row, Transaction, notify
from snfd.db.sql import changes_to
from snfd.ganeti.model import Description


@frozen
class Cluster:
    """A cluster as an administrator registered it, and what polls found.

    Sizes are MiB and None where they were never read.

    :ivar secret: sealed password.
    :ivar idx: 0 to 15, tells the cluster's MAC prefixes from others'.
    :ivar drained: takes no new servers.
    :ivar offline: nobody talks to it.
    :ivar public: takes servers of projects that no cluster is dedicated to.
    :ivar weight: how full it may be in comparison with others.
    :ivar removing: its row goes once its networks are gone.
    :ivar version: of its Ganeti.
    :ivar refresh_wanted: when somebody asked to have its statistics read anew.
    """

    id: int
    name: str
    url: str
    username: str
    secret: bytes = field(repr=False)
    tls_ca: str | None
    idx: int
    hypervisor: str
    drained: bool
    offline: bool
    public: bool
    disk_templates: tuple[str, ...]
    os_name: str
    mfree: int | None = None
    mtotal: int | None = None
    dfree: int | None = None
    dtotal: int | None = None
    pinst_cnt: int | None = None
    ctotal: int | None = None
    stats_at: datetime | None = None
    reachable: bool = True
    last_poll: datetime | None = None
    last_error: str | None = None
    weight: float = 1.0
    removing: bool = False
    version: str | None = None
    refresh_wanted: datetime | None = None

    @property
    def stale(self) -> bool:
        """Whether somebody waits for new statistics."""
        wanted, read = self.refresh_wanted, self.stats_at
        return wanted is not None and (read is None or read < wanted)

    @property
    def usable(self) -> bool:
        """Whether its servers can be worked on now."""
        return self.reachable and not self.offline


COLUMNS = (
    "id, name, url, username, secret, tls_ca, idx, hypervisor, drained, offline,"
    " public, disk_templates, os_name, mfree, mtotal, dfree, dtotal, pinst_cnt,"
    " ctotal, stats_at, reachable, last_poll, last_error, weight, removing, version,"
    " refresh_wanted"
)


def cluster(row: Row) -> Cluster:
    """The cluster that a row of `COLUMNS` holds."""
    values = list(row)
    values[11] = tuple(row[11])
    return Cluster(*values)


async def clusters(tx: Transaction) -> list[Cluster]:
    """All clusters, by id."""
    rows = await tx.rows(f"SELECT {COLUMNS} FROM compute.cluster ORDER BY id")
    return [cluster(row) for row in rows]


async def one(tx: Transaction, ident: int) -> Cluster | None:
    """The cluster with that id."""
    row = await tx.row(f"SELECT {COLUMNS} FROM compute.cluster WHERE id = %s", (ident,))
    return cluster(row) if row else None


async def locked(tx: Transaction, name: str) -> Cluster | None:
    """The cluster of that name, or of that id, kept as it is until ``tx`` ends."""
    row = await tx.row(
        f"SELECT {COLUMNS} FROM compute.cluster WHERE name = %(name)s"
        " OR id::text = %(name)s ORDER BY (name = %(name)s) DESC LIMIT 1 FOR UPDATE",
        {"name": name},
    )
    return cluster(row) if row else None


async def change(tx: Transaction, ident: int, given: Mapping[str, object]) -> None:
    """Set columns of a locked cluster."""
    await tx.execute(
        f"UPDATE compute.cluster SET {changes_to(given)} WHERE id = %(ident)s",
        {**given, "ident": ident},
    )
    await notify(tx, "cluster", ident)


async def refresh(tx: Transaction, ident: int) -> None:
    """Have the cluster's statistics read anew by whoever works on it."""
    await tx.execute(
        "UPDATE compute.cluster SET refresh_wanted = clock_timestamp() WHERE id = %s",
        (ident,),
    )
    await notify(tx, "cluster", ident)


async def leave_if_done(tx: Transaction, ident: int) -> bool:
    """Forget a cluster that is to be removed, if nothing is to be done there."""
    row = await tx.row(
        "SELECT 1 FROM compute.cluster c WHERE c.id = %s AND c.removing AND NOT EXISTS"
        " (SELECT FROM ops.outbox o WHERE o.cluster = c.id AND o.finished IS NULL)",
        (ident,),
    )
    if row is not None:
        await vanish(tx, ident)
    return row is not None


async def vanish(tx: Transaction, ident: int) -> None:
    """Forget a cluster that carries nothing; what is deleted keeps no place."""
    for table in ("server", "volume"):
        await tx.execute(
            f"UPDATE compute.{table} SET cluster = NULL WHERE cluster = %s AND deleted",
            (ident,),
        )
    await outbox.forget(tx, ident)
    await tx.execute("DELETE FROM compute.cluster WHERE id = %s", (ident,))
    await notify(tx, "cluster", ident)


async def add(tx: Transaction, name: str, given: dict[str, Any]) -> int | None:
    """Make a row for a cluster of a new name; its id, None if there is one.

    Its ``secret`` is empty until `set_secret`: what seals it needs the id.
    """
    values = {"name": name, "secret": b"", **given}
    columns = ", ".join(values)
    places = ", ".join(f"%({key})s" for key in values)
    row = await tx.row(
        f"INSERT INTO compute.cluster ({columns}, idx) SELECT {places},"
        " (SELECT min(i) FROM generate_series(0, 15) i WHERE NOT EXISTS"
        "  (SELECT FROM compute.cluster c WHERE c.idx = i))"
        " ON CONFLICT (name) DO NOTHING RETURNING id",
        values,
    )
    if row is not None:
        await notify(tx, "cluster", row[0])
    return row[0] if row else None


async def readdress(tx: Transaction, name: str, given: dict[str, Any]) -> None:
    """Change where the cluster of that name is and what it runs, if need be.

    :param given: ``url``, ``tls_ca`` and ``hypervisor``.
    """
    row = await tx.row(
        "UPDATE compute.cluster SET url = %(url)s, tls_ca = %(tls_ca)s,"
        " hypervisor = %(hypervisor)s WHERE name = %(name)s AND"
        " (url, tls_ca, hypervisor)"
        " IS DISTINCT FROM (%(url)s, %(tls_ca)s, %(hypervisor)s) RETURNING id",
        {"name": name, **given},
    )
    if row is not None:
        await notify(tx, "cluster", row[0])


async def set_secret(tx: Transaction, ident: int, secret: bytes) -> None:
    """Store the sealed password."""
    await tx.execute(
        "UPDATE compute.cluster SET secret = %s WHERE id = %s", (secret, ident)
    )


async def record_statistics(tx: Transaction, ident: int, told: Description) -> None:
    """Note what the cluster has and has free."""
    await tx.execute(
        "UPDATE compute.cluster SET mfree = %s, mtotal = %s, dfree = %s, dtotal = %s,"
        " pinst_cnt = %s, ctotal = %s, disk_templates = %s::text[],"
        " node_groups = %s::text[], version = %s, stats_at = clock_timestamp()"
        " WHERE id = %s",
        (
            told.mfree,
            told.mtotal,
            told.dfree,
            told.dtotal,
            told.pinst_cnt,
            told.ctotal,
            list(told.templates),
            list(told.groups),
            told.version,
            ident,
        ),
    )


async def record_reach(
    tx: Transaction, ident: int, reachable: bool, error: str | None
) -> None:
    """Note whether the cluster answers, and what it failed with."""
    row = await tx.row(
        "UPDATE compute.cluster c SET reachable = %s,"
        " last_error = coalesce(%s, c.last_error),"
        " last_poll = CASE WHEN %s THEN clock_timestamp() ELSE c.last_poll END"
        " FROM compute.cluster old WHERE c.id = %s AND old.id = c.id"
        " RETURNING old.reachable",
        (reachable, error, reachable, ident),
    )
    if row is not None and row[0] != reachable:
        await notify(tx, "cluster", ident)


async def begin(tx: Transaction, ident: int, holder: str) -> int:
    """Begin a new tenure, which ends the one before; its epoch."""
    row = await tx.row(
        "INSERT INTO compute.cluster_lease AS l (cluster, epoch, holder, taken)"
        " VALUES (%s, 1, %s, now()) ON CONFLICT (cluster) DO UPDATE SET"
        " epoch = l.epoch + 1, holder = excluded.holder, taken = now()"
        " RETURNING epoch",
        (ident, holder),
    )
    assert row is not None
    return int(row[0])


async def holds(tx: Transaction, ident: int, epoch: int) -> bool:
    """Whether the tenure lasts; it then lasts until ``tx`` ends."""
    row = await tx.row(
        "SELECT 1 FROM compute.cluster_lease WHERE cluster = %s AND epoch = %s"
        " FOR SHARE",
        (ident, epoch),
    )
    return row is not None
