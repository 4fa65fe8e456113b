"""Network v2.0 as neutron serves it."""

from __future__ import annotations

from typing import Protocol

from api.dispatch import Authenticator, Served, build
from api.openstack.faults import NEUTRON
from api.openstack.network.about import AboutApi, VersionsApi
from api.openstack.network.groups import GroupsApi
from api.openstack.network.limits import QuotasApi
from api.openstack.network.networks import NetworksApi, SubnetsApi
from api.openstack.network.ports import FloatingIpsApi, PortsApi
from snfd.compute.service import Compute
from snfd.config import Urls
from snfd.network.service import NetworkServices
from snfd.quota.service import Quota

MOUNT = "/os/network/v2.0"


class Services(Protocol):
    """What this API needs of the cloud."""

    @property
    def authenticator(self) -> Authenticator:
        """Says who a token stands for."""

    @property
    def compute(self) -> Compute:
        """Servers."""

    @property
    def networks(self) -> NetworkServices:
        """Networks."""

    @property
    def quota(self) -> Quota:
        """Limits and use."""

    @property
    def urls(self) -> Urls:
        """Where everything is reached."""


def resource(cloud: Services) -> Served:
    """What is mounted on ``/os/network/v2.0``."""
    base = cloud.urls.cyclades + MOUNT
    networks = cloud.networks
    return build(
        NEUTRON,
        cloud.authenticator,
        NetworksApi(networks.networks, base),
        SubnetsApi(networks.subnets, base),
        PortsApi(networks.ports, cloud.compute.nics, base),
        FloatingIpsApi(networks.floating, networks.ports, cloud.compute.nics, base),
        GroupsApi(),
        QuotasApi(cloud.quota),
        AboutApi(base),
    )


def versions(cloud: Services) -> Served:
    """What is mounted on ``/os/network``."""
    base = cloud.urls.cyclades + MOUNT
    return build(NEUTRON, cloud.authenticator, VersionsApi(base))
