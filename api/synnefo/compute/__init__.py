"""Compute v2.0 as Synnefo's Cyclades serves it."""

from __future__ import annotations

from attrs import evolve

from api.dispatch import Served, build
from api.links import Links
from api.operations import Fault
from api.services import Services
from api.synnefo.compute.about import AboutApi, VersionsApi
from api.synnefo.compute.actions import ActionsApi
from api.synnefo.compute.flavors import FlavorsApi, KeypairsApi
from api.synnefo.compute.images import ImagesApi
from api.synnefo.compute.servers import Lists, MetadataApi, PartsApi, ServersApi
from api.synnefo.compute.tags import TagsApi
from api.synnefo.faults import DIALECT
from snfd import errors

MOUNT = "/compute/v2.0"

CYCLADES = evolve(
    DIALECT,
    title="Synnefo compute",
    faults={**DIALECT.faults, errors.Busy: Fault(400, "badRequest")},
)
"""Here a server's state or task makes a request wrong, except a build."""


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
        TagsApi(compute, links),
        FlavorsApi(compute.flavors, links),
        KeypairsApi(compute.keypairs),
        ImagesApi(cloud.images, links),
    )


def versions(cloud: Services) -> Served:
    """What is mounted on ``/compute``."""
    links = Links.to(cloud.urls.cyclades, MOUNT)
    return build(CYCLADES, cloud.authenticator, VersionsApi(links.base))
