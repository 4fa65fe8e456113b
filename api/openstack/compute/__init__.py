"""Compute v2.1 as nova serves it."""

from __future__ import annotations

from api.dispatch import Served, build
from api.links import Links
from api.openstack.compute.about import AboutApi
from api.openstack.compute.actions import ActionsApi
from api.openstack.compute.devices import InterfacesApi, VolumesApi
from api.openstack.compute.flavors import FlavorsApi, KeypairsApi
from api.openstack.compute.floating import FloatingApi, GroupsApi
from api.openstack.compute.history import HistoryApi
from api.openstack.compute.images import ImagesApi
from api.openstack.compute.limits import LimitsApi
from api.openstack.compute.servers import (
    AddressesApi,
    Lists,
    MetadataApi,
    ServersApi,
)
from api.openstack.compute.versions import VersionApi, VersionsApi
from api.openstack.faults import NOVA
from api.services import Services

MOUNT = "/os/compute/v2.1"


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
        ActionsApi(cloud.compute, cloud.tickets, page, links),
        HistoryApi(cloud.compute),
        MetadataApi(cloud.compute),
        AddressesApi(cloud.compute),
        InterfacesApi(cloud.compute, cloud.networks.ports),
        VolumesApi(cloud.compute),
        FloatingApi(cloud.networks.floating, cloud.networks.networks),
        GroupsApi(cloud.compute),
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
