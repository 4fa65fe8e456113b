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
    """The admin API on the main listener, and the figures of Synnefo's."""

    kind: str = "admin"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.admin.resource import PATH, resource
        from api.synnefo import stats

        return [
            Mount(PATH, "admin", resource(cloud)),
            Mount("/admin/stats", "synnefo", stats.resource(cloud.astakos.admin)),
        ]


admin = AdminApi()
