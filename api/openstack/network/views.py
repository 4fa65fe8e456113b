"""Networks, subnets, ports and floating IPs as replies of network v2.0."""

from __future__ import annotations

from msgspec import UNSET, UnsetType
from msgspec import field as named

from api.links import Link
from api.networking import PoolView, RouteView
from api.operations import Reply
from api.times import whole_z
from snfd.identity.model import Caller
from snfd.network.floating import FloatingIp
from snfd.network.groups import holding
from snfd.network.model import OPEN, Network, Port, Subnet


class NetworkView(Reply):
    """A network."""

    id: str
    name: str
    status: str
    admin_state_up: bool
    tenant_id: str
    project_id: str
    shared: bool
    external: bool = named(name="router:external")
    subnets: list[str]
    mtu: int
    port_security_enabled: bool
    availability_zones: list[str]
    availability_zone_hints: list[str]
    description: str
    created_at: str
    updated_at: str
    provider_type: str | UnsetType = named(name="provider:network_type", default=UNSET)
    provider_network: str | UnsetType = named(
        name="provider:physical_network", default=UNSET
    )
    provider_segment: int | UnsetType | None = named(
        name="provider:segmentation_id", default=UNSET
    )

    @classmethod
    def of(cls, network: Network, *, staff: bool = False) -> NetworkView:
        """A network as its users see it.

        :param staff: whether to tell how it is built, too.
        """
        project = str(network.project) if network.project else ""
        view = cls(
            id=str(network.id),
            name=network.name,
            status=_status(network),
            admin_state_up=not network.drained,
            tenant_id=project,
            project_id=project,
            shared=network.public,
            external=network.public,
            subnets=[str(subnet) for subnet in network.subnets],
            mtu=network.mtu,
            port_security_enabled=False,
            availability_zones=[],
            availability_zone_hints=[],
            description="",
            created_at=whole_z(network.created),
            updated_at=whole_z(network.updated),
        )
        if staff:
            view.provider_type = network.kind.value
            view.provider_network = network.link
            view.provider_segment = None
        return view


def network_view(network: Network, caller: Caller) -> NetworkView:
    """A network as ``caller`` may see it."""
    return NetworkView.of(network, staff=caller.is_admin)


def _status(network: Network) -> str:
    if network.state in ("PENDING", "ERROR"):
        return network.state
    return "ACTIVE" if network.usable else "DOWN"


class NetworkReply(Reply):
    """One network."""

    network: NetworkView


class NetworksMade(Reply):
    """What was made: one network, or several."""

    network: NetworkView | UnsetType = UNSET
    networks: list[NetworkView] | UnsetType = UNSET

    @classmethod
    def of(cls, made: list[NetworkView], *, many: bool) -> NetworksMade:
        """What was made, in the form in which it was wanted."""
        return cls(networks=made) if many else cls(network=made[0])


class NetworksReply(Reply):
    """One page of networks."""

    networks: list[NetworkView]
    networks_links: list[Link] | UnsetType = UNSET


class SubnetView(Reply):
    """A subnet."""

    id: str
    name: str
    network_id: str
    tenant_id: str
    project_id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None
    enable_dhcp: bool
    dns_nameservers: list[str]
    host_routes: list[RouteView]
    allocation_pools: list[PoolView]
    ipv6_ra_mode: str | None
    ipv6_address_mode: str | None
    subnetpool_id: str | None
    description: str
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, subnet: Subnet) -> SubnetView:
        """A subnet as its users see it."""
        project = str(subnet.project) if subnet.project else ""
        return cls(
            id=str(subnet.id),
            name=subnet.name,
            network_id=str(subnet.network),
            tenant_id=project,
            project_id=project,
            ip_version=subnet.version,
            cidr=str(subnet.cidr),
            gateway_ip=str(subnet.gateway) if subnet.gateway else None,
            enable_dhcp=subnet.dhcp,
            dns_nameservers=list(subnet.dns),
            host_routes=[RouteView(to, via) for to, via in subnet.routes],
            allocation_pools=[PoolView(str(a), str(b)) for a, b in subnet.pools],
            ipv6_ra_mode="slaac" if subnet.slaac else None,
            ipv6_address_mode="slaac" if subnet.slaac else None,
            subnetpool_id=None,
            description="",
            created_at=whole_z(subnet.created),
            updated_at=whole_z(subnet.updated),
        )


class SubnetReply(Reply):
    """One subnet."""

    subnet: SubnetView


class SubnetsMade(Reply):
    """What was made: one subnet, or several."""

    subnet: SubnetView | UnsetType = UNSET
    subnets: list[SubnetView] | UnsetType = UNSET

    @classmethod
    def of(cls, made: list[SubnetView], *, many: bool) -> SubnetsMade:
        """What was made, in the form in which it was wanted."""
        return cls(subnets=made) if many else cls(subnet=made[0])


class SubnetsReply(Reply):
    """One page of subnets."""

    subnets: list[SubnetView]
    subnets_links: list[Link] | UnsetType = UNSET


class FixedIpView(Reply):
    """An address of a port."""

    subnet_id: str
    ip_address: str


class PortView(Reply):
    """A port."""

    id: str
    name: str
    network_id: str
    tenant_id: str
    project_id: str
    device_id: str
    device_owner: str
    mac_address: str
    status: str
    admin_state_up: bool
    fixed_ips: list[FixedIpView]
    security_groups: list[str]
    allowed_address_pairs: list[str]
    vnic_type: str = named(name="binding:vnic_type")
    port_security_enabled: bool
    description: str
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, port: Port) -> PortView:
        """A port as its users see it."""
        return cls(
            id=str(port.id),
            name=port.name,
            network_id=str(port.network),
            tenant_id=str(port.project),
            project_id=str(port.project),
            device_id="" if port.server is None else str(port.server),
            device_owner=_device_owner(port),
            mac_address=port.mac or "",
            status=port.state.value,
            admin_state_up=True,
            fixed_ips=[
                FixedIpView(str(one.subnet), one.addr) for one in port.addresses
            ],
            security_groups=[str(holding(port.project, port.firewall))],
            allowed_address_pairs=[],
            vnic_type="normal",
            port_security_enabled=port.firewall != OPEN,
            description="",
            created_at=whole_z(port.created),
            updated_at=whole_z(port.updated),
        )


def _device_owner(port: Port) -> str:
    if port.server is None:
        return ""
    return "network:floatingip" if port.extra else "compute:nova"


class PortReply(Reply):
    """One port."""

    port: PortView


class PortsReply(Reply):
    """One page of ports."""

    ports: list[PortView]
    ports_links: list[Link] | UnsetType = UNSET


class FloatingIpView(Reply):
    """A floating IP."""

    id: str
    floating_ip_address: str
    fixed_ip_address: str | None
    floating_network_id: str
    port_id: str | None
    router_id: str | None
    tenant_id: str
    project_id: str
    status: str
    description: str
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, one: FloatingIp) -> FloatingIpView:
        """A floating IP as its owner sees it."""
        return cls(
            id=str(one.id),
            floating_ip_address=one.addr,
            fixed_ip_address=None if one.port is None else one.fixed or one.addr,
            floating_network_id=str(one.network),
            port_id=None if one.port is None else str(one.shown_port),
            router_id=None,
            tenant_id=str(one.project),
            project_id=str(one.project),
            status="DOWN" if one.port is None else "ACTIVE",
            description="",
            created_at=whole_z(one.created),
            updated_at=whole_z(one.updated),
        )


class FloatingIpReply(Reply):
    """One floating IP."""

    floatingip: FloatingIpView


class FloatingIpsReply(Reply):
    """One page of floating IPs."""

    floatingips: list[FloatingIpView]
    floatingips_links: list[Link] | UnsetType = UNSET
