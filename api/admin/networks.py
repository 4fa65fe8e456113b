"""Networks of every kind: make them, say where they are, change and end them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.admin.bodies import Short
from api.admin.lists import Listing
from api.operations import operation
from api.paging import RowId
from snfd.admin.network_model import (
    NetworkAsk,
    NetworkFacts,
    NetworkRow,
    UnaskedCards,
)
from snfd.admin.networks import NetworkViews
from snfd.admin.rights import Right, Staff
from snfd.errors import Invalid
from snfd.network.administering import Changes, NetworkStaff, Wanted
from snfd.network.model import Kind, NewSubnet
from snfd.network.pools import FIRST

KindName = Literal["CUSTOM", "IP_LESS_ROUTED", "MAC_FILTERED", "PHYSICAL_VLAN"]
Name = Annotated[str, Meta(max_length=128)]
Link = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
Prefix = Annotated[str, Meta(pattern="^[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]$")]
Tags = Annotated[
    list[Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.+*/:@-]{1,128}$")]],
    Meta(max_length=10),
]
Texts = Annotated[list[Short], Meta(max_length=20)]
Mtu = Annotated[int, Meta(ge=576, le=65535)]
Choices = Annotated[list[Short], Meta(max_length=8)]


class MadeNetwork(Struct):
    """A network to be made; without ``public`` it needs an owner and a project.

    :ivar lazy: whether clusters hear of it with their first server only.
    :ivar subnet: range of IPv4; ``gateway`` is its first address if nothing is said,
        and ``none`` for none.
    :ivar pool: ranges that addresses are taken from, ``10.0.0.5-10.0.0.9``.
    """

    name: Name
    kind: KindName = "CUSTOM"
    public: bool = False
    owner: Short | None = None
    project: Short | None = None
    shared: bool = False
    floating_ip_pool: bool = False
    mode: Literal["bridged", "routed", "openvswitch"] | None = None
    link: Link | None = None
    mac_prefix: Prefix | None = None
    mtu: Mtu = 1500
    tag: Tags = []
    lazy: bool = False
    subnet: Short | None = None
    gateway: Short | None = None
    pool: Texts = []
    no_dhcp: bool = False
    dns: Texts = []
    subnet6: Short | None = None
    gateway6: Short | None = None

    def subnets(self) -> Sequence[NewSubnet]:
        """The subnets that it shall have.

        :raises Invalid: a range is none.
        """
        found = []
        if self.subnet is not None:
            found.append(
                NewSubnet(
                    0, self.subnet, gateway=_gateway(self.gateway),
                    dhcp=not self.no_dhcp, dns=self._dns(6),
                    pools=ranges(self.pool) if self.pool else None,
                )
            )  # fmt: skip
        if self.subnet6 is not None:
            six = NewSubnet(
                0, self.subnet6, 6, gateway=_gateway(self.gateway6),
                dhcp=not self.no_dhcp, dns=self._dns(4),
            )  # fmt: skip
            found.append(six)
        return found

    def _dns(self, other: int) -> tuple[str, ...]:
        """Name servers that are told with a range, those of the ``other`` not."""
        both = self.subnet is not None and self.subnet6 is not None
        six = [":" in one for one in self.dns]
        if not both:
            return tuple(self.dns)
        return tuple(
            one for one, is6 in zip(self.dns, six, strict=True) if is6 == (other == 4)
        )

    def given(self) -> dict[str, str]:
        """How it shall be built, where that is said."""
        wanted = {"mode": self.mode, "link": self.link, "mac_prefix": self.mac_prefix}
        return {name: value for name, value in wanted.items() if value is not None}


def _gateway(given: str | None) -> str | None:
    return FIRST if given is None else None if given == "none" else given


def ranges(given: Sequence[str]) -> list[tuple[str, str]]:
    """First and last of each, ``10.0.0.5-10.0.0.9``.

    :raises Invalid: one has no two ends.
    """
    found = [one.split("-") for one in given]
    if any(len(ends) != 2 for ends in found):
        raise Invalid("a range has two ends: 10.0.0.5-10.0.0.9")
    return [(first.strip(), last.strip()) for first, last in found]


class NetworkChanges(Struct):
    """What shall be different; null leaves it.

    :ivar drained: whether no new ports may join.
    """

    name: Name | None = None
    drained: bool | None = None
    floating_ip_pool: bool | None = None
    mtu: Mtu | None = None

    def wanted(self) -> Changes:
        """The changes that it describes."""
        return Changes(self.name, self.drained, self.floating_ip_pool, self.mtu)


class Where(Struct):
    """A cluster by name or number."""

    backend: Short


class Unasked(Struct):
    """Cards that servers get unasked; each says its choices, by commas."""

    forced: Choices = []
    default: Choices = []


class NetworksApi:
    """Networks themselves."""

    def __init__(self, views: NetworkViews, networks: NetworkStaff) -> None:
        self._views = views
        self._networks = networks

    @operation("GET", "/networks", query=NetworkAsk)
    async def all(self, staff: Staff, query: NetworkAsk) -> Listing[NetworkRow]:
        """List networks by number."""
        return Listing.of(await self._views.networks(query))

    @operation("GET", "/networks/<network>")
    async def show(self, staff: Staff, network: RowId) -> NetworkFacts:
        """Show a network, its subnets, and the clusters that have it."""
        return await self._views.network(network)

    @operation("POST", "/networks", body=MadeNetwork, status=201)
    async def create(self, staff: Staff, body: MadeNetwork) -> NetworkFacts:
        """Make a network of any kind."""
        actor, wanted = staff.to(Right.CLUSTERS), await self._wanted(body)
        return await self._views.network(await self._networks.create(actor, wanted))

    async def _wanted(self, body: MadeNetwork) -> Wanted:
        find = self._views.find
        owner = None if body.owner is None else await find.user(body.owner)
        project = None if body.project is None else await find.project(body.project)
        return Wanted(
            body.name,
            Kind(body.kind),
            body.public,
            owner,
            project,
            body.shared,
            body.floating_ip_pool,
            body.mtu,
            tuple(body.tag),
            body.given(),
            body.subnets(),
            body.lazy,
        )

    @operation("PATCH", "/networks/<network>", body=NetworkChanges)
    async def modify(
        self, staff: Staff, network: RowId, body: NetworkChanges
    ) -> NetworkFacts:
        """Change a network."""
        actor = staff.to(Right.CLUSTERS)
        await self._networks.modify(actor, network, body.wanted())
        return await self._views.network(network)

    @operation("DELETE", "/networks/<network>", status=204)
    async def remove(self, staff: Staff, network: RowId) -> None:
        """Remove a network that nothing uses."""
        await self._networks.remove(staff.to(Right.CLUSTERS), network)


class NetworkPlacesApi:
    """Where networks are, and which servers get unasked."""

    def __init__(self, views: NetworkViews, networks: NetworkStaff) -> None:
        self._views = views
        self._networks = networks

    @operation("POST", "/networks/<network>/backends", body=Where, status=202)
    async def join(self, staff: Staff, network: RowId, body: Where) -> None:
        """Have a cluster make a network now."""
        actor = staff.to(Right.CLUSTERS)
        await self._networks.join(actor, network, body.backend)

    @operation("DELETE", "/networks/<network>/backends/<backend>", status=204)
    async def leave(self, staff: Staff, network: RowId, backend: str) -> None:
        """Have a cluster forget a network, which no server there uses."""
        await self._networks.leave(staff.to(Right.CLUSTERS), network, backend)

    @operation("GET", "/server-networks")
    async def unasked(self, staff: Staff) -> UnaskedCards:
        """Show which cards servers get unasked."""
        return await self._views.unasked()

    @operation("PUT", "/server-networks", body=Unasked)
    async def set_unasked(self, staff: Staff, body: Unasked) -> UnaskedCards:
        """Say which cards servers get unasked."""
        lists = (
            [one.split(",") for one in body.forced],
            [one.split(",") for one in body.default],
        )
        await self._networks.unasked(staff.to(Right.CLUSTERS), *lists)
        return await self._views.unasked()
