"""Floating IPs: addresses that a user keeps whatever becomes of servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Forbidden, Invalid, NotFound
from snfd.identity.model import Caller, require_writer
from snfd.network import pools
from snfd.network.model import Filter
from snfd.network.owning import check_sharing
from snfd.network.scope import Scope, project_for
from snfd.network.store import floating as store
from snfd.network.store import networks, ports
from snfd.quota import service as quota
from snfd.quota.model import provisions

QUOTA = "cyclades.floating_ip"


@frozen
class FloatingIp:
    """An address that its owner keeps.

    :ivar port: the port that has it, or None.
    :ivar server: the server of that port, or None.
    :ivar shown_port: the port that it was put on: another card of that server,
        since the address has one of its own.
    :ivar fixed: the address of ``shown_port``, if that is another.
    """

    id: int
    addr: str
    network: int
    owner: UUID
    project: UUID
    shared: bool
    port: int | None
    server: int | None
    shown_port: int | None
    fixed: str | None
    created: datetime
    updated: datetime


@frozen
class NewFloatingIp:
    """A floating IP that somebody wants; None for "any"."""

    network: int | None = None
    addr: str | None = None
    project: UUID | None = None
    shared: bool | None = None


@frozen(eq=False)
class FloatingIps:
    """Floating IPs."""

    db: Database

    async def list(self, scope: Scope, wanted: Filter) -> Sequence[FloatingIp]:
        """Floating IPs by id; one more than ``limit`` if there are more."""
        rows = await store.listed(self.db, scope, wanted)
        return [FloatingIp(*row) for row in rows]

    async def show(self, scope: Scope, ident: int) -> FloatingIp:
        """One floating IP.

        :raises NotFound: there is none in the scope.
        """
        row = await store.find(self.db, scope, ident)
        if row is None:
            raise _missing(ident)
        return FloatingIp(*row)

    async def create(
        self, caller: Caller, scope: Scope, new: NewFloatingIp
    ) -> FloatingIp:
        """Take an address from a pool and keep it.

        :raises NotFound: there is no such network in the scope.
        :raises Conflict: the network is no pool, none is left, or it is taken.
        :raises Invalid: the address is none of the pool's.
        :raises OverQuota: the project has no room.
        """
        require_writer(caller)
        project = project_for(caller, new.project)
        made = await self.db.run(self.make, caller.user, scope, new, project)
        return await self.show(Scope.own(caller), made)

    async def within(
        self, tx: Transaction, caller: Caller, scope: Scope, new: NewFloatingIp
    ) -> FloatingIp:
        """The same as `create`, as part of a transaction."""
        project = project_for(caller, new.project)
        ident = await self.make(tx, caller.user, scope, new, project)
        row = await store.lock(tx, Scope.own(caller), ident)
        assert row is not None
        return FloatingIp(*row)

    async def make(
        self,
        tx: Transaction,
        owner: UUID,
        scope: Scope,
        new: NewFloatingIp,
        project: UUID,
    ) -> int:
        """The same for somebody, who is not asked; its id."""
        subnet, network, addr = await self._take(tx, scope, new)
        ident = await ports.insert_ip(
            tx,
            {
                "subnet": subnet,
                "network": network,
                "addr": addr,
                "owner": owner,
                "project": project,
                "shared": scope.shares if new.shared is None else new.shared,
                "floating": True,
            },
        )
        await quota.charge(tx, owner, project, {QUOTA: 1})
        return ident

    async def _take(
        self, tx: Transaction, scope: Scope, new: NewFloatingIp
    ) -> tuple[int, int, str]:
        wanted = None if new.addr is None else str(pools.address(new.addr))
        idents = await store.pools(tx)
        if new.network is not None:
            if await networks.lock(tx, scope, new.network, "SHARE") is None:
                raise NotFound(
                    f"there is no network {new.network}", kind="NetworkNotFound"
                )
            if new.network not in idents:
                raise Conflict("that network is no pool of floating IPs")
            idents = [new.network]
        subnets = await store.subnets(tx, idents)
        if wanted is None:
            taken = await ports.take_any(tx, list(subnets))
            if taken is None:
                raise Conflict("no address is left", kind="IpAddressGenerationFailure")
            return taken[0], subnets[taken[0]], taken[1]
        subnet = await ports.take(tx, list(subnets), wanted)
        if subnet is not None:
            return subnet, subnets[subnet], wanted
        if await ports.slot_exists(tx, list(subnets), wanted):
            raise Conflict(f"{wanted} is in use", kind="IpAddressInUse")
        raise Invalid(f"{wanted} is no address of a pool")

    async def reassign(
        self, caller: Caller, ident: int, project: UUID, *, shared: bool
    ) -> None:
        """Have another project pay for a floating IP.

        :raises NotFound: the caller sees none of that id.
        :raises Forbidden: it is somebody else's, or the caller only reads in either
            project.
        :raises Invalid: the caller is no member of the project.
        :raises Conflict: a server of another project has it, and either is shared.
        :raises OverQuota: the project has no room.
        """
        require_writer(caller)
        project_for(caller, project)
        await self.db.run(self._reassign, caller, ident, project, shared)

    async def _reassign(
        self, tx: Transaction, caller: Caller, ident: int, project: UUID, shared: bool
    ) -> None:
        row = await store.lock(tx, Scope.own(caller), ident)
        if row is None:
            raise _missing(ident)
        found = FloatingIp(*row)
        if found.owner != caller.user:
            raise Forbidden("only its owner moves a floating IP to another project")
        Scope.own(caller).check_change(found.project)
        holder = await store.holder(tx, ident)
        if holder is not None:
            check_sharing((project, shared), holder)
        await store.move(tx, ident, project, shared)
        if project != found.project:
            leaving = provisions(found.owner, found.project, {QUOTA: -1})
            coming = provisions(found.owner, project, {QUOTA: 1})
            await quota.transfer(tx, {**leaving, **coming})

    async def delete(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Give a floating IP back.

        :raises NotFound: there is none in the scope.
        :raises Conflict: a port has it.
        """
        require_writer(caller)
        await self.db.run(self.drop, scope, ident)

    async def drop(self, tx: Transaction, scope: Scope, ident: int) -> None:
        """The same as `delete`, as part of a transaction."""
        row = await store.lock(tx, scope, ident)
        if row is None:
            raise _missing(ident)
        found = FloatingIp(*row)
        scope.check_change(found.project)
        if found.port is not None:
            raise Conflict("a port has the floating IP", kind="FloatingIpInUse")
        await store.release(tx, ident)
        await quota.charge(tx, found.owner, found.project, {QUOTA: -1}, force=True)


def _missing(ident: int) -> NotFound:
    return NotFound(f"there is no floating IP {ident}", kind="FloatingIPNotFound")
