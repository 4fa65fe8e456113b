"""Our own passwords as a login method."""

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
class LocalLogin:
    """Passwords that we keep; there unless ``login = false``."""

    kind: str = "local"

    def way(self, table: Mapping[str, Any], tools: Tools) -> Way:
        """See `ILogin.way`."""
        from snfd.logins.port import Local
        from snfd.logins.settings import LoginTable, parsed

        return Local(parsed({"title": "Password", **table}, LoginTable).method)


local = LocalLogin()
