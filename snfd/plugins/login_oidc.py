"""OpenID Connect: Google, LinkedIn, Keycloak and all the others."""

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
class OidcLogin:
    """Somebody else's login page; see `snfd.logins.openid`."""

    kind: str = "oidc"

    def way(self, table: Mapping[str, Any], tools: Tools) -> Way:
        """See `ILogin.way`."""
        from snfd.logins.openid import OpenId
        from snfd.logins.openid_table import OpenIdTable, with_preset
        from snfd.logins.settings import parsed

        return OpenId.of(parsed(with_preset(table), OpenIdTable), tools)


oidc = OidcLogin()
