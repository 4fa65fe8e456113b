"""What pages must know of the cloud's looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.plugin import IApi, Mount

if TYPE_CHECKING:
    from snfd.cloud import Cloud


@implementer(IApi, IPlugin)
@frozen
class BrandingPlugin:
    """``/branding``."""

    kind: str = "branding"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api import branding
        from api.branding.images import load

        chosen = cloud.config.branding
        images = load(Path(chosen.images) if chosen.images else None)
        api = branding.BrandingApi(chosen, chosen.site or cloud.urls.astakos, images)
        resource = branding.resource(cloud.authenticator, api)
        return [Mount("/branding", "synnefo", resource)]


branding = BrandingPlugin()
