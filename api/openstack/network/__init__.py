"""Network v2.0 as neutron serves it."""

from __future__ import annotations

from api.dispatch import Served, build
from api.openstack.faults import NEUTRON
from api.openstack.network.about import AboutApi, VersionsApi
from api.openstack.network.groups import GroupsApi
from api.openstack.network.limits import QuotasApi
from api.openstack.network.networks import NetworksApi, SubnetsApi
from api.openstack.network.ports import FloatingIpsApi, PortsApi
from api.services import Services

MOUNT = "/os/network/v2.0"


def resource(cloud: Services) -> Served:
    """What is mounted on ``/os/network/v2.0``."""
    base = cloud.urls.cyclades + MOUNT
    networks = cloud.networks
    return build(
        NEUTRON,
        cloud.authenticator,
        NetworksApi(networks.networks, base),
        SubnetsApi(networks.subnets, base),
        PortsApi(networks.ports, cloud.compute.nics, cloud.compute.firewalls, base),
        FloatingIpsApi(networks.floating, networks.ports, cloud.compute.carrying, base),
        GroupsApi(),
        QuotasApi(cloud.quota),
        AboutApi(base),
    )


def versions(cloud: Services) -> Served:
    """What is mounted on ``/os/network``."""
    base = cloud.urls.cyclades + MOUNT
    return build(NEUTRON, cloud.authenticator, VersionsApi(base))
