"""Object storage in the dialects of Swift and Pithos."""

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
class ObjectsApi:
    """One store, two dialects."""

    kind: str = "objects"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.addresses import Peers
        from api.objects.pithos import resource as pithos
        from api.objects.swift import about
        from api.objects.swift import resource as swift

        streams = cloud.writer, cloud.reader, cloud.authenticator
        swift_, swift_bodies = swift.build(cloud.store, *streams)
        pithos_, pithos_bodies = pithos.build(
            cloud.store, cloud.quota, *streams, cloud.clock
        )
        login = about.build_login(
            cloud.identity,
            cloud.clock,
            cloud.authenticator,
            f"{cloud.urls.pithos}/v1",
            Peers.of(cloud.config.identity.trusted_proxies),
        )
        return [
            Mount("/v1", "swift", swift_, swift_bodies),
            Mount("/info", "swift", about.build_info(cloud.authenticator)),
            Mount("/auth/v1.0", "swift", login),
            Mount("/object-store/v1", "pithos", pithos_, pithos_bodies),
        ]


objects = ObjectsApi()
