"""Hands tokens to programs on people's machines, by way of their browsers."""

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
class WebloginApi:
    """``/weblogin``."""

    kind: str = "weblogin"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.synnefo import weblogin
        from snfd.plugins.login_pages import context

        return [Mount("/weblogin", "synnefo", weblogin.resource(context(cloud)))]


weblogin = WebloginApi()
