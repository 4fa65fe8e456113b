"""Clusters, as the rest of the daemon and its operators see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid, Unavailable
from snfd.ganeti import store
from snfd.ganeti.port import Ganeti
from snfd.ganeti.rapi import Rapi
from snfd.ganeti.store import Cluster
from snfd.ganeti.transport import Offload, Transport, agent, inline
from snfd.probe import Probe, nothing
from snfd.sealed import CLUSTER_PASSWORD, Sealer
from snfd.trust import policy

_URL = re.compile(r"https?://[A-Za-z0-9._\[\]:-]+(:[0-9]{1,5})?/?\Z")

MOST = 16
"""Clusters at most: each has a digit of MAC addresses."""


@frozen
class NewCluster:
    """A cluster to register.

    :ivar tls_ca: see `snfd.trust.policy`.
    :ivar disk_templates: until its own are read.
    """

    name: str
    url: str
    username: str
    password: str = field(repr=False)
    tls_ca: str | None = None
    hypervisor: str = "kvm"
    os_name: str = "snf-image+default"
    disk_templates: Sequence[str] = ()
    public: bool = True
    drained: bool = False
    weight: float = 1.0


@define(eq=False)
class Clusters:
    """The registered clusters."""

    database: Database
    sealer: Sealer

    async def all(self) -> list[Cluster]:
        """Every cluster, by id."""
        return await self.database.run(store.clusters)

    async def bootstrap(self, wanted: Sequence[NewCluster]) -> list[str]:
        """Make the rows that are missing; existing ones stay as they are.

        :returns: names of those made.
        :raises Invalid: one has no usable address or certificate.
        """
        return [
            new.name
            for new in wanted
            if await self.database.run(self._add, new) is not None
        ]

    async def add(self, new: NewCluster) -> int:
        """Register a cluster; its id.

        :raises Conflict: there is one of the name, or there are 16 already.
        :raises Invalid: as `bootstrap`.
        """
        ident = await self.database.run(self._add, new)
        if ident is None:
            raise Conflict(f"there is a cluster {new.name} already")
        return ident

    async def readdress(self, new: NewCluster) -> None:
        """Tell where a cluster is now and what it runs; for the embedded one."""
        given = {"url": new.url, "tls_ca": new.tls_ca, "hypervisor": new.hypervisor}
        await self.database.run(store.readdress, new.name, given)

    async def _add(self, tx: Transaction, new: NewCluster) -> int | None:
        ident = await register(tx, self.sealer, new)
        if ident is None and new.password:
            await self._replace_lost(tx, new)
        return ident

    async def _replace_lost(self, tx: Transaction, new: NewCluster) -> None:
        """Give a cluster its password anew if the key of the old one is lost."""
        for one in await store.clusters(tx):
            place = CLUSTER_PASSWORD.at(one.id)
            if one.name != new.name:
                continue
            try:
                self.sealer.open(one.secret, *place)
            except Unavailable:
                await reseal(tx, self.sealer, one.id, new.password)


async def register(tx: Transaction, sealer: Sealer, new: NewCluster) -> int | None:
    """Make a cluster's row; its id, or None where its name is taken.

    :raises Conflict: there are 16 already.
    :raises Invalid: it has no usable address or certificate.
    """
    checked(new)
    taken = {each.name for each in await store.clusters(tx)}
    if new.name not in taken and len(taken) >= MOST:
        raise Conflict(f"there are {MOST} clusters already")
    ident = await store.add(tx, new.name, _columns(new))
    if ident is not None:
        await reseal(tx, sealer, ident, new.password)
    return ident


def _columns(new: NewCluster) -> dict[str, Any]:
    return {
        "url": new.url.rstrip("/"),
        "username": new.username,
        "tls_ca": new.tls_ca,
        "hypervisor": new.hypervisor,
        "os_name": new.os_name,
        "disk_templates": list(new.disk_templates),
        "public": new.public,
        "drained": new.drained,
        "weight": new.weight,
    }


async def reseal(tx: Transaction, sealer: Sealer, ident: int, password: str) -> None:
    """Give a cluster a password, which is only stored sealed."""
    sealed = sealer.seal(password.encode(), *CLUSTER_PASSWORD.at(ident))
    await store.set_secret(tx, ident, sealed)


def checked(new: NewCluster) -> NewCluster:
    """``new``, if it can be reached by what it says.

    :raises Invalid: it has no usable address or certificate.
    """
    if not _URL.match(new.url):
        raise Invalid(f"cluster {new.name}: {new.url!r} is no https address")
    policy(new.tls_ca)
    return new


def connector(
    reactor: Any,
    sealer: Sealer,
    offload: Offload = inline,
    probe: Probe = nothing,
) -> Callable[[Cluster], Ganeti]:
    """How to connect to a cluster over its RAPI.

    :param offload: decodes large answers in a thread.
    """

    def connect(cluster: Cluster) -> Ganeti:
        place = CLUSTER_PASSWORD.at(cluster.id)
        password = sealer.open(cluster.secret, *place).decode()
        wire = agent(reactor, policy(cluster.tls_ca))
        return Rapi(
            Transport(
                reactor,
                wire,
                cluster.url,
                cluster.username,
                password,
                offload=offload,
                probe=probe,
            )
        )

    return connect
