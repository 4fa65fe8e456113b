"""What is configured of a login by a directory."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from snfd.logins.settings import LoginTable


class DirectoryTable(LoginTable, frozen=True, kw_only=True):
    """A ``[[login]]`` table of the kind ``ldap``.

    :ivar url: ``ldap://host:port`` or ``ldaps://host:port``.
    :ivar starttls: whether ``ldap://`` goes over to TLS; without it passwords
        travel in the clear.
    :ivar tls_ca: file with the CA certificate that the server's must chain to;
        empty for the system's.
    :ivar dn: the DN of whoever is called ``{name}``; instead of a search.
    :ivar bind_dn: who searches; empty for nobody.
    :ivar base: where the search starts.
    :ivar filter: what is searched.
    :ivar identifier: attribute that names a person for ever.
    :ivar group_base: where groups are searched; empty for no groups.
    :ivar group_filter: the groups of ``{dn}``.
    :ivar group_name: attribute with a group's name.
    :ivar timeout: of a whole login, in seconds.
    """

    url: str
    starttls: bool = True
    tls_ca: str = ""
    dn: str = ""
    bind_dn: str = ""
    bind_password: str = ""
    bind_password_file: str = ""
    base: str = ""
    filter: str = "(uid={name})"
    identifier: str = "entryUUID"
    group_base: str = ""
    group_filter: str = "(member={dn})"
    group_name: str = "cn"
    timeout: Annotated[float, Meta(gt=0, le=60)] = 5.0
    switch: bool = False
