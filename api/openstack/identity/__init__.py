"""Identity v3 (``/identity/v3``) and the versions of identity (``/identity``).

Source: ``spec/astakos.md`` §12.
"""

from __future__ import annotations

from attrs import frozen

from api.addresses import DIRECT, Peers
from api.dispatch import Served, build
from api.openstack.identity.auth import AuthApi
from api.openstack.identity.credentials import CredentialsApi
from api.openstack.identity.domains import DomainsApi
from api.openstack.identity.faults import keystone
from api.openstack.identity.groups import GroupMembersApi, GroupsApi
from api.openstack.identity.projects import ProjectsApi
from api.openstack.identity.registry import RegistryApi
from api.openstack.identity.roles import GrantsApi, RolesApi
from api.openstack.identity.users import UsersApi
from api.openstack.identity.versions import VersionApi, VersionsApi
from snfd.accounts.wired import Accounts
from snfd.catalog import Catalog
from snfd.identity.credentials import Credentials
from snfd.identity.directory import Directory
from snfd.identity.people import People
from snfd.identity.service import Authenticator, Identity
from snfd.projects.admin import ProjectAdmin
from snfd.projects.service import Projects


@frozen(eq=False, kw_only=True)
class Services:
    """What identity v3 is made of.

    :ivar project_admin: changes projects at once, for administrators.
    """

    authenticator: Authenticator
    identity: Identity
    people: People
    projects: Projects
    catalog: Catalog
    credentials: Credentials
    directory: Directory
    accounts: Accounts
    project_admin: ProjectAdmin
    peers: Peers = DIRECT


def versions(authenticator: Authenticator, catalog: Catalog) -> Served:
    """What stands at ``/identity`` itself."""
    dialect = keystone(catalog.identity("v3"))
    return build(dialect, authenticator, VersionsApi(catalog))


def resource(parts: Services) -> Served:
    """Everything below ``/identity/v3``."""
    base, accounts = parts.catalog.identity("v3"), parts.accounts
    known = parts.authenticator, parts.identity, parts.projects, parts.catalog
    return build(
        keystone(base),
        parts.authenticator,
        VersionApi(parts.catalog),
        AuthApi(*known, parts.peers),
        ProjectsApi(parts.projects, parts.project_admin, base),
        UsersApi(parts.people, accounts, base),
        DomainsApi(base),
        RolesApi(parts.directory, base),
        GrantsApi(parts.directory, parts.project_admin, base),
        GroupsApi(parts.directory, accounts.groups, base),
        GroupMembersApi(parts.directory, accounts.editing),
        CredentialsApi(parts.credentials, base),
        RegistryApi(parts.catalog, base),
    )
