"""Shibboleth, and whatever else the server in front of us logs people in by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.plugin import ILogin

if TYPE_CHECKING:
    from snfd.logins.port import Tools, Way


@implementer(ILogin, IPlugin)
@frozen
class ShibbolethLogin:
    """Headers of a trusted proxy; see `snfd.logins.headers`."""

    kind: str = "shibboleth"

    def way(self, table: Mapping[str, Any], tools: Tools) -> Way:
        """See `ILogin.way`."""
        from snfd.logins.headers import HeaderTable, TrustedHeaders
        from snfd.logins.settings import parsed

        return TrustedHeaders.of(parsed(table, HeaderTable), tools.trusted_proxies)


shibboleth = ShibbolethLogin()
