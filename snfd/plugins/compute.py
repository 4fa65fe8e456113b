"""Compute: servers, in the dialects of OpenStack and Synnefo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.plugin import IApi, Mount

if TYPE_CHECKING:
    from snfd.cloud import Cloud


@implementer(IApi, IPlugin)
@frozen
class ComputeApi:
    """Servers, and what clusters fetch for them."""

    kind: str = "compute"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.addresses import Peers
        from api.openstack import compute as nova
        from api.synnefo import compute as cyclades
        from api.synnefo import vmapi

        peers = Peers.of(cloud.config.identity.trusted_proxies)
        return [
            Mount("/os/compute", "openstack", nova.versions(cloud)),
            Mount("/os/compute/v2.1", "openstack", nova.resource(cloud)),
            Mount("/compute", "synnefo", cyclades.versions(cloud)),
            Mount("/compute/v2.0", "synnefo", cyclades.resource(cloud)),
            Mount("/vmapi/v1.0", "synnefo", vmapi.resource(cloud, peers)),
        ]


compute = ComputeApi()
