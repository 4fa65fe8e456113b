"""What administrators do with clusters, which Synnefo calls backends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from uuid import UUID

from attrs import asdict, field, frozen

from snfd.audit import Actor, record
from snfd.compute.store import backends as store
from snfd.db.port import Database, Transaction
from snfd.errors import Busy, Conflict, Invalid, NotFound
from snfd.ganeti import store as cluster_store
from snfd.ganeti.service import NewCluster, checked, register, reseal
from snfd.ganeti.store import Cluster
from snfd.network import presence
from snfd.network.store import networks
from snfd.sealed import Sealer

_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._-]{0,254}\Z")


@frozen
class Changes:
    """What shall be different of a cluster; None leaves it.

    :ivar tls_ca: see `snfd.trust.policy`; empty for the system's CAs.
    """

    url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls_ca: str | None = None
    hypervisor: str | None = None
    os_name: str | None = None
    public: bool | None = None
    drained: bool | None = None
    offline: bool | None = None
    weight: float | None = None

    def columns(self) -> dict[str, object]:
        """The columns that change, all but the password's."""
        given = asdict(self)
        del given["password"]
        found = {name: value for name, value in given.items() if value is not None}
        if "tls_ca" in found:
            found["tls_ca"] = found["tls_ca"] or None
        if self.url is not None:
            found["url"] = self.url.rstrip("/")
        return found


@frozen(eq=False)
class Backends:
    """Clusters, each named by its name or its id.

    :ivar new_id: a fresh id for an intent.
    """

    db: Database
    sealer: Sealer
    new_id: Callable[[], UUID]

    async def add(self, actor: Actor, new: NewCluster) -> None:
        """Register a cluster; whoever may work on one tries it at once.

        :raises Invalid: its name, address, certificate or password.
        :raises Conflict: there is one of the name, or there are 16 already.
        """
        if not _NAME.match(new.name):
            raise Invalid(
                f"{new.name!r} is no name of a cluster: letters, digits, dots, hyphens"
                " and underscores, not digits alone"
            )
        if not new.password:
            raise Invalid("a cluster needs the password of its RAPI user")
        await self.db.run(self._add, actor, new)

    async def modify(self, actor: Actor, name: str, wanted: Changes) -> None:
        """Change a cluster; who works on it connects anew where need be.

        :raises NotFound: there is none.
        :raises Invalid: the address or the certificate.
        """
        await self.db.run(self._modify, actor, name, wanted)

    async def remove(self, actor: Actor, name: str) -> None:
        """Remove a cluster that carries no servers.

        Networks of ours are taken away there first, unless it is offline or does
        not answer: then they stay.

        :raises NotFound: there is none.
        :raises Conflict: servers or volumes are there.
        """
        await self.db.run(self._remove, actor, name)

    async def refresh(self, actor: Actor, name: str) -> None:
        """Have whoever works on a cluster look at it now.

        :raises NotFound: there is none.
        :raises Busy: it is offline: nobody talks to it.
        """
        await self.db.run(_refresh, actor, name)

    async def dedicate(
        self, actor: Actor, name: str, project: UUID, *, wanted: bool
    ) -> None:
        """Keep a project to a cluster, or no longer.

        A project may be kept to several. One that is kept to none uses those that
        are public.

        :raises NotFound: there is none, or the project was not kept to it.
        """
        await self.db.run(_dedicate, actor, name, project, wanted)

    async def pin(self, actor: Actor, name: str, person: UUID, *, wanted: bool) -> None:
        """Send a person's new servers to a cluster, or no longer.

        :raises NotFound: there is none, or they were not sent there.
        """
        await self.db.run(_pin, actor, name, person, wanted)

    async def _add(self, tx: Transaction, actor: Actor, new: NewCluster) -> None:
        if await register(tx, self.sealer, new) is None:
            raise Conflict(f"there is a cluster {new.name} already")
        await record(tx, actor, "backend.add", f"backend:{new.name}", url=new.url)

    async def _modify(
        self, tx: Transaction, actor: Actor, name: str, wanted: Changes
    ) -> None:
        old = await existing(tx, name)
        columns = wanted.columns()
        _check(old, columns)
        if columns:
            await cluster_store.change(tx, old.id, columns)
        if wanted.password is not None:
            if not wanted.password:
                raise Invalid("a cluster needs the password of its RAPI user")
            await reseal(tx, self.sealer, old.id, wanted.password)
            await cluster_store.refresh(tx, old.id)
        told = {key: value for key, value in columns.items() if key != "tls_ca"}
        changed = sorted({*columns, *(("password",) if wanted.password else ())})
        await record(
            tx, actor, "backend.modify", f"backend:{old.name}", changed=changed, **told
        )

    async def _remove(self, tx: Transaction, actor: Actor, name: str) -> None:
        old = await existing(tx, name)
        carried = await store.load(tx, old.id)
        if carried.servers or carried.volumes:
            raise Conflict(
                f"{carried.servers} server(s) and {carried.volumes} loose volume(s) are"
                f" on cluster {old.name}"
            )
        await record(tx, actor, "backend.remove", f"backend:{old.name}", url=old.url)
        if not carried.networks or not old.usable:
            await cluster_store.vanish(tx, old.id)
            return
        await cluster_store.change(tx, old.id, {"removing": True, "drained": True})
        for ident in await store.networks(tx, old.id):
            network = await networks.lock(tx, None, ident)
            if network is not None:
                await presence.leave(tx, network, old.id, self.new_id)


async def existing(tx: Transaction, name: str) -> Cluster:
    """The cluster of that name or id, locked.

    :raises NotFound: there is none.
    """
    found = await cluster_store.locked(tx, name)
    if found is None:
        raise NotFound(f"there is no cluster {name!r}")
    return found


def _check(old: Cluster, columns: Mapping[str, object]) -> None:
    kept = {"url": old.url, "tls_ca": old.tls_ca, **columns}
    url, authority = str(kept["url"]), kept["tls_ca"]
    checked(NewCluster(old.name, url, "", "", str(authority) if authority else None))


async def _refresh(tx: Transaction, actor: Actor, name: str) -> None:
    found = await existing(tx, name)
    if found.offline:
        raise Busy(f"cluster {found.name} is offline: nobody talks to it")
    await cluster_store.refresh(tx, found.id)


async def _dedicate(
    tx: Transaction, actor: Actor, name: str, project: UUID, wanted: bool
) -> None:
    found = await existing(tx, name)
    work = store.dedicate if wanted else store.release
    changed = await work(tx, found.id, project)
    if not changed and not wanted:
        raise NotFound(f"project {project} is not kept to cluster {found.name}")
    action = "backend.dedicate" if wanted else "backend.release"
    await record(tx, actor, action, f"backend:{found.name}", project=str(project))


async def _pin(
    tx: Transaction, actor: Actor, name: str, person: UUID, wanted: bool
) -> None:
    found = await existing(tx, name)
    if wanted:
        await store.pin(tx, found.id, person)
    elif not await store.unpin(tx, found.id, person):
        raise NotFound(f"servers of {person} are not sent to cluster {found.name}")
    action = "backend.pin" if wanted else "backend.unpin"
    await record(tx, actor, action, f"backend:{found.name}", user=str(person))
