"""What administrators ask to be taken over."""

from __future__ import annotations

from attrs import frozen

from snfd.audit import Actor, record
from snfd.compute.backends import existing
from snfd.db.port import Database, Transaction
from snfd.errors import Busy
from snfd.ganeti import adoption_store as store
from snfd.ganeti.adoption_store import Wanted

MOST = 20
"""Requests of one cluster that may wait."""


@frozen(eq=False)
class Adoptions:
    """Requests to make servers of instances."""

    db: Database

    async def ask(self, actor: Actor, backend: str, wanted: Wanted) -> int:
        """Have instances of a cluster taken over by whoever works on it.

        :returns: the request's number.
        :raises NotFound: there is no such cluster.
        :raises Busy: it is offline, or too much was asked already.
        """
        return await self.db.run(_ask, actor, backend, wanted)


async def _ask(tx: Transaction, actor: Actor, backend: str, wanted: Wanted) -> int:
    cluster = await existing(tx, backend)
    if cluster.offline:
        raise Busy(f"cluster {cluster.name} is offline: nobody talks to it")
    if await store.open_requests(tx, cluster.id) >= MOST:
        raise Busy(f"{MOST} requests for cluster {cluster.name} wait already")
    if not wanted.dry_run:
        await record(
            tx,
            actor,
            "backend.adopt",
            f"backend:{cluster.name}",
            owner=str(wanted.owner),
            project=str(wanted.project),
            instances=wanted.instances[:100],
        )
    return await store.ask(tx, cluster.id, wanted)
