"""Administration: what ``snfctl --cloud`` and the administrators' pages use."""

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
class AdminApi:
    """The admin API on the main listener."""

    kind: str = "admin"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.admin.resource import PATH, resource

        return [Mount(PATH, "admin", resource(cloud))]


admin = AdminApi()
