"""Compute v2.0 as Synnefo's Cyclades serves it."""

from __future__ import annotations

from typing import Protocol

from attrs import evolve

from api.dispatch import Authenticator, Served, build
from api.links import Links
from api.operations import Fault
from api.synnefo.compute.about import AboutApi, VersionsApi
from api.synnefo.compute.actions import ActionsApi
from api.synnefo.compute.flavors import FlavorsApi, KeypairsApi
from api.synnefo.compute.images import Images, ImagesApi
from api.synnefo.compute.servers import Lists, MetadataApi, PartsApi, ServersApi
from api.synnefo.faults import DIALECT
from snfd import errors
from snfd.clock import Seconds
from snfd.compute.console import ConsoleTickets
from snfd.compute.service import Compute
from snfd.config import Urls

MOUNT = "/compute/v2.0"

CYCLADES = evolve(
    DIALECT,
    title="Synnefo compute",
    faults={**DIALECT.faults, errors.Busy: Fault(400, "badRequest")},
)
"""Here a server's state or task makes a request wrong, except a build."""


class Services(Protocol):
    """What this API needs of the cloud."""

    @property
    def authenticator(self) -> Authenticator:
        """Says who a token stands for."""

    @property
    def compute(self) -> Compute:
        """Servers."""

    @property
    def images(self) -> Images:
        """Images."""

    @property
    def tickets(self) -> ConsoleTickets:
        """Console tickets."""

    @property
    def urls(self) -> Urls:
        """Where everything is reached."""

    @property
    def clock(self) -> Seconds:
        """The time of day."""


def resource(cloud: Services) -> Served:
    """What is mounted on ``/compute/v2.0``."""
    links = Links.to(cloud.urls.cyclades, MOUNT)
    compute = cloud.compute
    return build(
        CYCLADES,
        cloud.authenticator,
        AboutApi(links.base),
        ServersApi(compute, links, Lists(compute, cloud.clock)),
        ActionsApi(compute, cloud.tickets, cloud.urls.console),
        PartsApi(compute),
        MetadataApi(compute),
        FlavorsApi(compute.flavors, links),
        KeypairsApi(compute.keypairs),
        ImagesApi(cloud.images, links),
    )


def versions(cloud: Services) -> Served:
    """What is mounted on ``/compute``."""
    links = Links.to(cloud.urls.cyclades, MOUNT)
    return build(CYCLADES, cloud.authenticator, VersionsApi(links.base))
