"""Network v2.0 as Synnefo's Cyclades serves it."""

from __future__ import annotations

from attrs import evolve

from api.dispatch import Served, build
from api.links import Links
from api.services import Services
from api.synnefo.faults import DIALECT
from api.synnefo.network.about import NetworkAboutApi, NetworkVersionsApi
from api.synnefo.network.floating import FloatingIpsApi
from api.synnefo.network.networks import NetworksApi
from api.synnefo.network.ports import PortsApi
from api.synnefo.network.subnets import SubnetsApi

MOUNT = "/network/v2.0"

NETWORK = evolve(DIALECT, title="Synnefo network")


def resource(cloud: Services) -> Served:
    """What is mounted on ``/network/v2.0``."""
    links = Links.to(cloud.urls.cyclades, MOUNT)
    services = cloud.networks
    return build(
        NETWORK,
        cloud.authenticator,
        NetworkAboutApi(links.base),
        NetworksApi(services.networks, links, cloud.clock),
        SubnetsApi(services.subnets, links, cloud.clock),
        PortsApi(services.ports, cloud.compute.nics, links),
        FloatingIpsApi(services.floating, links, cloud.clock),
    )


def versions(cloud: Services) -> Served:
    """What is mounted on ``/network``."""
    links = Links.to(cloud.urls.cyclades, MOUNT)
    return build(NETWORK, cloud.authenticator, NetworkVersionsApi(links.base))
