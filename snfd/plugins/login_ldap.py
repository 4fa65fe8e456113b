"""LDAP and Active Directory."""

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
class LdapLogin:
    """Passwords that a directory keeps; see `snfd.logins.directory`."""

    kind: str = "ldap"

    def way(self, table: Mapping[str, Any], tools: Tools) -> Way:
        """See `ILogin.way`."""
        from snfd.logins.directory import Directory
        from snfd.logins.directory_table import DirectoryTable
        from snfd.logins.settings import parsed

        return Directory.of(parsed(table, DirectoryTable), tools.reactor)


ldap = LdapLogin()
