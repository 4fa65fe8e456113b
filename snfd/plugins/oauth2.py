"""Lets programs act for people who allow it (OAuth2)."""

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
class OAuth2Api:
    """``/oauth2``."""

    kind: str = "oauth2"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.synnefo import oauth2
        from snfd.plugins.login_pages import context

        return [Mount("/oauth2", "synnefo", oauth2.resource(context(cloud)))]


oauth2 = OAuth2Api()
