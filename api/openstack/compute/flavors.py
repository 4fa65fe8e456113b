"""Flavors and key pairs of compute v2.1."""

from __future__ import annotations

from attrs import frozen
from msgspec import UNSET, UnsetType
from msgspec import field as named

from api.computing import CreateKeypair
from api.links import Link, Links
from api.openstack.compute.bodies import FlavorsQuery
from api.openstack.compute.views import precise
from api.operations import Reply, operation
from api.paging import flag, following, size
from snfd.compute.catalog import Flavors
from snfd.compute.keypairs import Keypairs
from snfd.compute.model import Flavor, Keypair
from snfd.errors import NotFound
from snfd.identity.model import Caller


class BriefFlavor(Reply):
    """A flavor by name."""

    id: str
    name: str
    links: list[Link]


class FlavorView(Reply):
    """A flavor in full."""

    id: str
    name: str
    ram: int
    disk: int
    vcpus: int
    swap: int | str
    rxtx_factor: float
    public: bool = named(name="os-flavor-access:is_public")
    ephemeral: int = named(name="OS-FLV-EXT-DATA:ephemeral")
    disabled: bool = named(name="OS-FLV-DISABLED:disabled")
    links: list[Link]

    @classmethod
    def of(cls, flavor: Flavor, links: Links) -> FlavorView:
        """A flavor as its users see it."""
        return cls(
            id=str(flavor.id),
            name=flavor.name,
            ram=flavor.ram,
            disk=flavor.disk,
            vcpus=flavor.cpu,
            swap="",
            rxtx_factor=1.0,
            public=flavor.public,
            ephemeral=0,
            disabled=not flavor.allow_create,
            links=links.of("flavors", flavor.id),
        )


class FlavorReply(Reply):
    """One flavor."""

    flavor: FlavorView


class FlavorsReply(Reply):
    """One page of flavors in full."""

    flavors: list[FlavorView]
    flavors_links: list[Link] | UnsetType = UNSET


class BriefFlavorsReply(Reply):
    """One page of flavors by name."""

    flavors: list[BriefFlavor]
    flavors_links: list[Link] | UnsetType = UNSET


class SpecsReply(Reply):
    """A flavor's extra specs."""

    extra_specs: dict[str, str]


@frozen(eq=False)
class FlavorsApi:
    """Sizes that servers come in."""

    flavors: Flavors
    links: Links

    @operation("GET", "/flavors", query=FlavorsQuery)
    async def index(self, caller: Caller, query: FlavorsQuery) -> BriefFlavorsReply:
        """List flavors by name."""
        found, more = await self._page(caller, "flavors", query)
        return BriefFlavorsReply([self._brief(one) for one in found], more)

    @operation("GET", "/flavors/detail", query=FlavorsQuery)
    async def detail(self, caller: Caller, query: FlavorsQuery) -> FlavorsReply:
        """List flavors in full."""
        found, more = await self._page(caller, "flavors/detail", query)
        return FlavorsReply([FlavorView.of(one, self.links) for one in found], more)

    @operation("GET", "/flavors/<flavor>")
    async def show(self, caller: Caller, flavor: int) -> FlavorReply:
        """Show a flavor."""
        found = await self.flavors.show(caller, flavor)
        return FlavorReply(FlavorView.of(found, self.links))

    @operation("GET", "/flavors/<flavor>/os-extra_specs")
    async def specs(self, caller: Caller, flavor: int) -> SpecsReply:
        """Show a flavor's extra specs."""
        found = await self.flavors.show(caller, flavor)
        return SpecsReply(dict(found.specs))

    @operation("GET", "/flavors/<flavor>/os-extra_specs/<key>")
    async def spec(self, caller: Caller, flavor: int, key: str) -> dict[str, str]:
        """Show one of a flavor's extra specs."""
        found = await self.flavors.show(caller, flavor)
        if key not in found.specs:
            raise NotFound(f"the flavor has no extra spec {key!r}")
        return {key: found.specs[key]}

    async def _page(
        self, caller: Caller, path: str, query: FlavorsQuery
    ) -> tuple[list[Flavor], list[Link] | UnsetType]:
        public = flag(query.is_public, "is_public")
        limit = size(query.limit)
        found = await self.flavors.list(caller, public, query.after(), limit)
        more: list[Link] | UnsetType = UNSET
        if len(found) > limit:
            more = following(f"{self.links.base}/{path}", query, found[limit - 1].id)
        return list(found[:limit]), more

    def _brief(self, one: Flavor) -> BriefFlavor:
        return BriefFlavor(str(one.id), one.name, self.links.of("flavors", one.id))


class KeypairView(Reply):
    """A key pair by name."""

    name: str
    public_key: str
    fingerprint: str


class KeypairItem(Reply):
    """A key pair in a list."""

    keypair: KeypairView


class KeypairsReply(Reply):
    """A user's key pairs."""

    keypairs: list[KeypairItem]


class NewKeypairView(Reply):
    """A key pair that was just made; its private key is told once."""

    name: str
    public_key: str
    fingerprint: str
    user_id: str
    private_key: str | UnsetType = UNSET


class NewKeypairReply(Reply):
    """Answer of ``POST /os-keypairs``."""

    keypair: NewKeypairView


class FullKeypairView(Reply):
    """A key pair in full."""

    id: int
    name: str
    public_key: str
    fingerprint: str
    user_id: str
    created_at: str | None
    updated_at: str | None
    deleted_at: str | None
    deleted: bool

    @classmethod
    def of(cls, one: Keypair) -> FullKeypairView:
        """A key pair as its owner sees it."""
        return cls(
            id=one.id,
            name=one.name,
            public_key=one.content,
            fingerprint=one.fingerprint,
            user_id=str(one.owner),
            created_at=precise(one.created),
            updated_at=None,
            deleted_at=None,
            deleted=False,
        )


class FullKeypairReply(Reply):
    """One key pair."""

    keypair: FullKeypairView


@frozen(eq=False)
class KeypairsApi:
    """The caller's key pairs."""

    keypairs: Keypairs

    @operation("GET", "/os-keypairs")
    async def index(self, caller: Caller) -> KeypairsReply:
        """List key pairs."""
        found = await self.keypairs.list(caller)
        return KeypairsReply(
            [
                KeypairItem(KeypairView(one.name, one.content, one.fingerprint))
                for one in found
            ]
        )

    @operation("POST", "/os-keypairs", body=CreateKeypair)
    async def create(self, caller: Caller, body: CreateKeypair) -> NewKeypairReply:
        """Import a public key, or make a pair."""
        wanted = body.keypair
        made, private = await self.keypairs.create(
            caller, wanted.name, wanted.public_key
        )
        return NewKeypairReply(
            NewKeypairView(
                made.name, made.content, made.fingerprint,
                str(made.owner), private or UNSET,
            )
        )  # fmt: skip

    @operation("GET", "/os-keypairs/<name>")
    async def show(self, caller: Caller, name: str) -> FullKeypairReply:
        """Show a key pair."""
        return FullKeypairReply(
            FullKeypairView.of(await self.keypairs.show(caller, name))
        )

    @operation("DELETE", "/os-keypairs/<name>", status=202)
    async def delete(self, caller: Caller, name: str) -> None:
        """Remove a key pair."""
        await self.keypairs.delete(caller, name)
