"""Networks and subnets that clients of network v2.0 want; null is absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec import field as named

from api.networking import Pool, Route
from api.openstack.network.bodies import Name, Renaming
from api.paging import Id, number
from snfd.errors import Invalid
from snfd.network.model import Kind, NewNetwork, NewSubnet, SubnetChange
from snfd.network.pools import FIRST

BULK_MAX = 50
"""Networks or subnets that one request may make."""


class WantedNetwork(Struct):
    """A network that somebody wants."""

    name: Name | None = None
    kind: str | None = named(name="provider:network_type", default=None)
    shared: bool | None = None
    external: bool | None = named(name="router:external", default=None)

    def new(self) -> NewNetwork:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: a type that there is not, or a public network.
        """
        if self.shared or self.external:
            raise Invalid("only administrators make public networks")
        try:
            kind = Kind(self.kind) if self.kind else None
        except ValueError:
            raise Invalid(f"there is no network type {self.kind!r}") from None
        return NewNetwork(self.name or "", kind)


class CreateNetworks(Struct):
    """Body of ``POST /networks``: one, or several."""

    network: WantedNetwork | None = None
    networks: Annotated[list[WantedNetwork], Meta(max_length=BULK_MAX)] | None = None

    @property
    def many(self) -> bool:
        """Whether several are wanted, be it a list of one."""
        return self.network is None

    def wanted(self) -> Sequence[NewNetwork]:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: neither or both are given, or one cannot be.
        """
        several = self.networks or []
        if (self.network is None) == (not several):
            raise Invalid("the body holds either network or networks")
        return [one.new() for one in ([self.network] if self.network else several)]


class UpdateNetwork(Struct):
    """Body of ``PUT /networks/{network}``."""

    network: Renaming


class WantedSubnet(Struct):
    """A subnet that somebody wants."""

    network_id: Id
    cidr: str | None = None
    name: Name | None = None
    ip_version: int | None = None
    gateway_ip: str | UnsetType | None = UNSET
    enable_dhcp: bool | None = None
    dns_nameservers: list[str] | None = None
    host_routes: list[Route] | None = None
    allocation_pools: list[Pool] | None = None
    ipv6_ra_mode: str | None = None
    ipv6_address_mode: str | None = None

    def new(self) -> NewSubnet:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: no range is given, or another mode of IPv6 than SLAAC.
        """
        if self.cidr is None:
            raise Invalid("cidr is needed: there are no subnet pools")
        modes = {self.ipv6_ra_mode, self.ipv6_address_mode} - {None}
        version = 4 if self.ip_version is None else self.ip_version
        if modes and (version != 6 or modes != {"slaac"}):
            raise Invalid("the modes of IPv6 are slaac, and of IPv6 only")
        pools = self.allocation_pools
        return NewSubnet(
            network=number(self.network_id),
            cidr=self.cidr,
            version=version,
            name=self.name or "",
            gateway=FIRST if self.gateway_ip is UNSET else self.gateway_ip,
            dhcp=True if self.enable_dhcp is None else self.enable_dhcp,
            dns=tuple(self.dns_nameservers or ()),
            routes=[(one.destination, one.nexthop) for one in self.host_routes or ()],
            pools=[(one.start, one.end) for one in pools] if pools else None,
        )


class CreateSubnets(Struct):
    """Body of ``POST /subnets``: one, or several."""

    subnet: WantedSubnet | None = None
    subnets: Annotated[list[WantedSubnet], Meta(max_length=BULK_MAX)] | None = None

    @property
    def many(self) -> bool:
        """Whether several are wanted, be it a list of one."""
        return self.subnet is None

    def wanted(self) -> Sequence[NewSubnet]:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: neither or both are given, or one cannot be.
        """
        several = self.subnets or []
        if (self.subnet is None) == (not several):
            raise Invalid("the body holds either subnet or subnets")
        return [one.new() for one in ([self.subnet] if self.subnet else several)]


class ChangedSubnet(Struct):
    """What may be changed of a subnet.

    The gateway may be named only as it is: clients send what they were shown.
    """

    name: Name | None = None
    dns_nameservers: list[str] | None = None
    host_routes: list[Route] | None = None
    enable_dhcp: bool | None = None
    allocation_pools: list[Pool] | None = None

    def change(self) -> SubnetChange:
        """What shall be different, in the cloud's own terms."""
        routes, pools = self.host_routes, self.allocation_pools
        return SubnetChange(
            self.name,
            self.dns_nameservers,
            None if routes is None else [(r.destination, r.nexthop) for r in routes],
            self.enable_dhcp,
            None if pools is None else [(pool.start, pool.end) for pool in pools],
        )


class UpdateSubnet(Struct):
    """Body of ``PUT /subnets/{subnet}``."""

    subnet: ChangedSubnet
