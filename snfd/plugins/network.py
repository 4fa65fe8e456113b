"""Networks, in the dialects of OpenStack and Synnefo."""

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
class NetworkApi:
    """Networks, subnets, ports and floating IPs."""

    kind: str = "network"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.openstack import network as neutron
        from api.synnefo import network as cyclades

        return [
            Mount("/os/network", "openstack", neutron.versions(cloud)),
            Mount("/os/network/v2.0", "openstack", neutron.resource(cloud)),
            Mount("/network", "synnefo", cyclades.versions(cloud)),
            Mount("/network/v2.0", "synnefo", cyclades.resource(cloud)),
        ]


network = NetworkApi()
