"""What administrators tell of clusters' nodes, and give them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

from attrs import frozen

from snfd.audit import Actor, record
from snfd.compute.backends import existing
from snfd.compute.progress import Reports
from snfd.compute.store import secrets
from snfd.db.port import Database, Transaction
from snfd.errors import Invalid

MAX_NETWORKS = 256


@frozen(eq=False)
class Nodes:
    """Nodes of clusters, each cluster named by its name or its id."""

    db: Database
    reports: Reports

    async def show(self, name: str) -> Sequence[str]:
        """From where a cluster's hand-offs may be fetched; empty: from anywhere.

        :raises NotFound: there is no such cluster.
        """
        return await self.db.run(_show, name)

    async def allow(self, actor: Actor, name: str, networks: Sequence[str]) -> None:
        """Say from where a cluster's hand-offs may be fetched.

        :param networks: its nodes' addresses or networks; none: anywhere.
        :raises Invalid: one is no network, or there are too many.
        :raises NotFound: there is no such cluster.
        """
        if len(networks) > MAX_NETWORKS:
            raise Invalid(f"at most {MAX_NETWORKS} networks")
        try:
            known = [str(ip_network(one, strict=False)) for one in networks]
        except ValueError as error:
            raise Invalid(str(error)) from None
        await self.db.run(_allow, actor, name, known)

    async def secret(self, actor: Actor, name: str) -> str:
        """What a cluster's nodes need to tell how builds go, in hex.

        :raises NotFound: there is no such cluster.
        """
        return await self.db.run(self._secret, actor, name)

    async def _secret(self, tx: Transaction, actor: Actor, name: str) -> str:
        found = await existing(tx, name)
        await record(tx, actor, "backend.node-secret", f"backend:{found.name}")
        return (await self.reports.secret_in(tx, found.id)).hex()


async def _show(tx: Transaction, name: str) -> Sequence[str]:
    return await secrets.allowed(tx, (await existing(tx, name)).id)


async def _allow(
    tx: Transaction, actor: Actor, name: str, networks: Sequence[str]
) -> None:
    found = await existing(tx, name)
    await secrets.allow(tx, found.id, networks)
    told = list(networks)
    await record(tx, actor, "backend.allow", f"backend:{found.name}", networks=told)
