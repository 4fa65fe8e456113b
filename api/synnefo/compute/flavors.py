"""Flavors and key pairs of Synnefo's compute v2.0."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from api.computing import CreateKeypair
from api.links import Links
from api.operations import operation
from api.paging import complete, flag
from api.synnefo.compute.bodies import FlavorsQuery
from api.synnefo.compute.flavor_views import (
    BriefFlavor,
    BriefFlavorsReply,
    FlavorReply,
    FlavorsReply,
    FlavorView,
    FullKeypairReply,
    FullKeypairView,
    KeypairReply,
    KeypairsReply,
    KeypairView,
    SpecsReply,
)
from snfd.compute.catalog import Flavors
from snfd.compute.keypairs import Keypairs
from snfd.compute.model import Flavor
from snfd.identity.model import Caller


@frozen(eq=False)
class FlavorsApi:
    """Sizes that servers come in."""

    flavors: Flavors
    links: Links

    @operation("GET", "/flavors", query=FlavorsQuery)
    async def index(self, caller: Caller, query: FlavorsQuery) -> BriefFlavorsReply:
        """List flavors by name."""
        found = await self._found(caller, query)
        return BriefFlavorsReply(
            [
                BriefFlavor(one.id, one.name, self.links.of("flavors", one.id))
                for one in found
            ]
        )

    @operation("GET", "/flavors/detail", query=FlavorsQuery)
    async def detail(self, caller: Caller, query: FlavorsQuery) -> FlavorsReply:
        """List flavors in full."""
        found = await self._found(caller, query)
        return FlavorsReply([self._view(caller, one) for one in found])

    @operation("GET", "/flavors/<flavor>")
    async def show(self, caller: Caller, flavor: int) -> FlavorReply:
        """Show a flavor."""
        found = await self.flavors.show(caller, flavor)
        return FlavorReply(self._view(caller, found))

    @operation("GET", "/flavors/<flavor>/os-extra_specs")
    async def specs(self, caller: Caller, flavor: int) -> SpecsReply:
        """Show a flavor's extra specs."""
        found = await self.flavors.show(caller, flavor)
        return SpecsReply(dict(found.specs))

    async def _found(self, caller: Caller, query: FlavorsQuery) -> Sequence[Flavor]:
        public = flag(query.public, "SNF:is_public")
        if not query.names_mine(caller):
            return ()
        found = await self.flavors.list(caller, public)
        if query.access is None:
            return complete(found, None)
        return [one for one in found if query.access in one.projects]

    def _view(self, caller: Caller, one: Flavor) -> FlavorView:
        mine = frozenset(str(project) for project in caller.projects)
        return FlavorView.of(one, self.links, mine)


@frozen(eq=False)
class KeypairsApi:
    """The caller's key pairs."""

    keypairs: Keypairs

    @operation("GET", "/os-keypairs")
    async def index(self, caller: Caller) -> KeypairsReply:
        """List key pairs."""
        found = await self.keypairs.list(caller)
        return KeypairsReply([KeypairReply(KeypairView.of(one)) for one in found])

    @operation("POST", "/os-keypairs", body=CreateKeypair, status=201)
    async def create(self, caller: Caller, body: CreateKeypair) -> KeypairReply:
        """Import a public key, or make a pair."""
        made, private = await self.keypairs.create(
            caller, body.keypair.name, body.keypair.public_key
        )
        return KeypairReply(KeypairView.of(made, private))

    @operation("GET", "/os-keypairs/<name>")
    async def show(self, caller: Caller, name: str) -> FullKeypairReply:
        """Show a key pair."""
        found = await self.keypairs.show(caller, name)
        return FullKeypairReply(FullKeypairView.of(found))

    @operation("DELETE", "/os-keypairs/<name>", status=204)
    async def delete(self, caller: Caller, name: str) -> None:
        """Remove a key pair."""
        await self.keypairs.delete(caller, name)
