"""Consoles: screens of servers over websockets."""

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
class ConsoleApi:
    """``/console/<ticket>``."""

    kind: str = "console"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from vnc.websocket import resource

        origins = [*cloud.config.console.origins, cloud.urls.console]
        return [Mount("/console", "", resource(cloud.consoles, origins))]


console = ConsoleApi()
