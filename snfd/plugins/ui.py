"""The web pages."""

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
class UiApi:
    """``/ui`` and the way there."""

    kind: str = "ui"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.root import Redirect
        from api.ui.static import resource

        return [
            Mount("/", "", Redirect()),
            Mount("/ui", "", resource(cloud.pages)),
        ]


ui = UiApi()
