"""Compute v2.1 as nova serves it."""

from __future__ import annotations

from typing import Protocol

from api.dispatch import Authenticator, Served, build
from api.links import Links
from api.openstack.compute.about import AboutApi
from api.openstack.compute.actions import ActionsApi
from api.openstack.compute.devices import InterfacesApi, VolumesApi
from api.openstack.compute.flavors import FlavorsApi, KeypairsApi
from api.openstack.compute.images import Images, ImagesApi
from api.openstack.compute.limits import LimitsApi
from api.openstack.compute.servers import (
    AddressesApi,
    Lists,
    MetadataApi,
    ServersApi,
)
from api.openstack.compute.versions import VersionApi, VersionsApi
from api.openstack.faults import NOVA
from snfd.clock import Seconds
from snfd.compute.console import ConsoleTickets
from snfd.compute.service import Compute
from snfd.config import Urls
from snfd.network.service import NetworkServices
from snfd.quota.service import Quota

MOUNT = "/os/compute/v2.1"


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
    def images(self) -> Images:
        """Images."""

    @property
    def tickets(self) -> ConsoleTickets:
        """Console tickets."""

    @property
    def quota(self) -> Quota:
        """Limits and use."""

    @property
    def urls(self) -> Urls:
        """Where everything is reached."""

    @property
    def clock(self) -> Seconds:
        """The time of day."""


def resource(cloud: Services) -> Served:
    """What is mounted on ``/os/compute/v2.1``."""
    links = Links.to(cloud.urls.cyclades, MOUNT)
    lists = Lists(cloud.compute, cloud.clock)
    page = f"{cloud.urls.console}/ui/console.html"
    return build(
        NOVA,
        cloud.authenticator,
        VersionApi(links.base),
        ServersApi(cloud.compute, links, lists),
        ActionsApi(cloud.compute, cloud.tickets, page),
        MetadataApi(cloud.compute),
        AddressesApi(cloud.compute),
        InterfacesApi(cloud.compute, cloud.networks.ports),
        VolumesApi(cloud.compute),
        FlavorsApi(cloud.compute.flavors, links),
        KeypairsApi(cloud.compute.keypairs),
        ImagesApi(cloud.images, links),
        LimitsApi(cloud.quota),
        AboutApi(),
    )


def versions(cloud: Services) -> Served:
    """What is mounted on ``/os/compute``."""
    links = Links.to(cloud.urls.cyclades, MOUNT)
    return build(NOVA, cloud.authenticator, VersionsApi(links.base))
