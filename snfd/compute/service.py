"""What users do with servers, and everything of compute that APIs get."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.compute import rules
from snfd.compute.accept import Tools, Wanted, accept_server
from snfd.compute.actions import Actions, changeable
from snfd.compute.address_staff import AddressStaff
from snfd.compute.allocation import Allocator
from snfd.compute.carrying import Carrying
from snfd.compute.catalog import Flavors
from snfd.compute.custody import Custody
from snfd.compute.firewalls import Firewalls
from snfd.compute.handoff import Handoffs
from snfd.compute.images import Images
from snfd.compute.journal import Journal
from snfd.compute.keypairs import Keypairs, whose
from snfd.compute.metadata import Metadata
from snfd.compute.model import (
    Diagnostic,
    NewServer,
    Page,
    Server,
    ServerFilter,
)
from snfd.compute.nics import Nics
from snfd.compute.placement import Score, balanced
from snfd.compute.reassigning import Reassigning
from snfd.compute.rebuilding import Rebuilding
from snfd.compute.rescuing import RescueImages, Rescuing
from snfd.compute.resizing import Resizing
from snfd.compute.store import keypairs, rows, secrets, servers
from snfd.compute.tags import Tags
from snfd.db.port import Database, Transaction
from snfd.errors import NotFound
from snfd.identity.model import Caller, require_writer
from snfd.network.floating import FloatingIps
from snfd.network.scope import Scope, project_for
from snfd.probe import AFTER_COMMIT, Probe, nothing
from snfd.sealed import LOGIN_PASSWORD, Sealer


@frozen(eq=False)
class Servers:
    """Servers: make, show and rename them."""

    db: Database
    clock: Seconds
    images: Images
    flavors: Flavors
    tools: Tools
    request_id: Callable[[], str | None]

    async def create(
        self, caller: Caller, scope: Scope, spec: NewServer
    ) -> tuple[Server, str]:
        """Accept a new server; it will be made whatever becomes of the caller.

        :returns: the server, and its login password.
        :raises Invalid: something malformed, or a project of others.
        :raises TooLarge: too many files, or one too long.
        :raises NotFound: no such flavor, image, key, network or port.
        :raises Forbidden: the caller only reads, or may not use the flavor.
        :raises Conflict: an address is taken, or none is left.
        :raises OverQuota: the project has no room; nothing was recorded.
        :raises Unavailable: no cluster can take it now.
        """
        require_writer(caller)
        wanted = await self._checked(caller, scope, spec)
        ident = await self.tools.allocator.in_turn(
            lambda: self.db.run(
                accept_server, caller, scope, wanted, self.tools, now(self.clock)
            )
        )
        self.tools.probe(AFTER_COMMIT)
        found = await servers.find(self.db, Scope.own(caller), ident)
        assert found is not None
        return found, wanted.password

    async def _checked(self, caller: Caller, scope: Scope, spec: NewServer) -> Wanted:
        """Check in the order of ``spec/cyclades.md`` §2.1."""
        project = project_for(caller, spec.project)
        rules.files(spec.files)
        rules.user_data(spec.user_data)
        flavor = await self.flavors.show(caller, spec.flavor)
        if flavor.deleted:
            raise NotFound(f"there is no flavor {spec.flavor}")
        rules.may_use(flavor, project)
        password = self._password(spec)
        known = await keypairs.contents(self.db, *whose(caller), spec.key_names)
        for key in spec.key_names:
            if key not in known:
                raise NotFound(f"there is no key pair {key!r}")
        rules.name(spec.name)
        rules.metadata(spec.metadata)
        rules.tags(spec.tags)
        source, volumes = rules.disks(spec, flavor)
        image = await self.images.usable(caller, source)
        rules.fits(image, flavor, volumes[0])
        return Wanted(
            spec=spec,
            flavor=flavor,
            image=image,
            volumes=volumes,
            project=project,
            shared=scope.shares if spec.shared is None else spec.shared,
            password=password,
            keys=tuple(known[key] for key in spec.key_names),
            request_id=self.request_id(),
        )

    def _password(self, spec: NewServer) -> str:
        if spec.password is not None:
            return rules.password(spec.password)
        draw = self.tools.draw
        return rules.new_password(lambda text: text[draw(len(text))])

    async def list(self, scope: Scope, wanted: ServerFilter) -> Page:
        """One page of servers.

        :raises Invalid: the marker is no server of the scope.
        """
        return await servers.listed(self.db, scope, wanted)

    async def show(self, scope: Scope, ident: int, *, gone: bool = True) -> Server:
        """One server.

        :param gone: also one that has been deleted.
        :raises NotFound: there is none in the scope.
        """
        found = await servers.find(self.db, scope, ident)
        if found is None or (found.deleted and not gone):
            raise NotFound(f"there is no server {ident}")
        return found

    async def rename(
        self, caller: Caller, scope: Scope, ident: int, name: str
    ) -> Server:
        """Give a server another name.

        :raises NotFound: there is none in the scope.
        :raises Invalid: the name is empty or too long, or the server gone.
        :raises Forbidden: it is suspended, or the caller only reads.
        """
        require_writer(caller)
        rules.name(name)
        return await self.db.run(self._rename, scope, ident, name)

    async def _rename(
        self, tx: Transaction, scope: Scope, ident: int, name: str
    ) -> Server:
        await changeable(tx, scope, ident)
        await rows.update(tx, ident, name=name)
        return await servers.within(tx, ident)

    async def diagnostics(self, scope: Scope, ident: int) -> Sequence[Diagnostic]:
        """What a server's owner should know about it, newest first.

        :raises NotFound: there is none in the scope.
        """
        await self.show(scope, ident)
        return servers.diagnostics(await self.db.read(servers.DIAGNOSTICS, (ident,)))


@frozen(eq=False)
class Passwords:
    """Login passwords, kept until their owner has noted them."""

    db: Database
    sealer: Sealer
    servers: Servers

    async def show(self, scope: Scope, ident: int) -> str:
        """A server's login password, for those who may change the server.

        :raises NotFound: no such server in the scope, or none is kept.
        :raises Forbidden: the caller only reads.
        """
        scope.check_change((await self.servers.show(scope, ident)).project)
        sealed = await secrets.password(self.db, ident)
        if sealed is None:
            raise NotFound("the password is not kept (any more)")
        return self.sealer.open(sealed, *LOGIN_PASSWORD.at(ident)).decode()

    async def forget(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Keep a server's login password no longer.

        :raises NotFound: no such server in the scope, or none is kept.
        :raises Forbidden: the caller only reads.
        """
        require_writer(caller)
        scope.check_change((await self.servers.show(scope, ident)).project)
        if not await self.db.run(secrets.drop_password, ident):
            raise NotFound("the password is not kept (any more)")


@frozen(eq=False)
class Compute:
    """All of compute, as APIs get it."""

    servers: Servers
    actions: Actions
    nics: Nics
    metadata: Metadata
    passwords: Passwords
    flavors: Flavors
    keypairs: Keypairs
    handoffs: Handoffs
    resizing: Resizing
    reassigning: Reassigning
    custody: Custody
    rebuilding: Rebuilding
    rescuing: Rescuing
    rescue_images: RescueImages
    journal: Journal
    tags: Tags
    firewalls: Firewalls
    carrying: Carrying
    address_staff: AddressStaff


@frozen(kw_only=True, eq=False)
class Parts:
    """What compute is built from.

    :ivar base_url: of the daemon as cluster nodes reach it.
    :ivar draw: a random integer below its argument, unpredictable.
    :ivar token: 32 unpredictable bytes.
    :ivar request_id: of the request under way, or None.
    :ivar hotplug: whether clusters change cards of running servers.
    :ivar judge: how bad a cluster is for a new server.
    """

    db: Database
    clock: Seconds
    images: Images
    sealer: Sealer
    base_url: str
    new_id: Callable[[], UUID]
    draw: Callable[[int], int]
    token: Callable[[], bytes]
    request_id: Callable[[], str | None]
    probe: Probe = nothing
    hotplug: bool = True
    judge: Score = balanced


def compute(parts: Parts) -> Compute:
    """Build compute."""
    flavors = Flavors(parts.db)
    actions = Actions(
        parts.db, parts.clock, parts.new_id, parts.request_id, parts.sealer
    )
    servers_ = Servers(
        parts.db,
        parts.clock,
        parts.images,
        flavors,
        Tools(
            parts.sealer, parts.new_id, parts.draw, parts.probe, Allocator(parts.judge)
        ),
        parts.request_id,
    )
    floating = FloatingIps(parts.db)
    nics = Nics(actions, parts.draw, hotplug=parts.hotplug)
    return Compute(
        servers_,
        actions,
        nics,
        Metadata(parts.db),
        Passwords(parts.db, parts.sealer, servers_),
        flavors,
        Keypairs(parts.db),
        Handoffs(parts.db, parts.clock, parts.sealer, parts.token, parts.base_url),
        Resizing(actions, flavors),
        Reassigning(parts.db),
        Custody(parts.db),
        Rebuilding(actions, parts.images, servers_.tools),
        Rescuing(actions, parts.images),
        RescueImages(parts.db),
        Journal(parts.db),
        Tags(parts.db, parts.new_id, parts.request_id),
        Firewalls(actions),
        Carrying(nics, floating),
        AddressStaff(nics, floating),
    )
