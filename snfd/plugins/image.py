"""Images: glance v2, and Synnefo's registry."""

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
class ImageApi:
    """The image registry and its data."""

    kind: str = "image"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.openstack import image as glance
        from api.synnefo import image as registry

        resource, bodies = glance.build(
            cloud.images,
            cloud.image_uploads,
            cloud.writer,
            cloud.reader,
            cloud.workers,
            cloud.tasks,
            cloud.authenticator,
            f"{cloud.urls.cyclades}/os/image",
        )
        listed = registry.resource(cloud.images, cloud.authenticator)
        return [
            Mount("/os/image", "openstack", resource, bodies),
            Mount(registry.MOUNT, "synnefo", listed),
        ]


image = ImageApi()
