"""Identity v3 (``/identity/v3``) and the versions of identity (``/identity``).

Source: ``spec/astakos.md`` §12.
"""

from __future__ import annotations

from api.addresses import DIRECT, Peers
from api.dispatch import Served, build
from api.openstack.identity.auth import AuthApi
from api.openstack.identity.faults import keystone
from api.openstack.identity.resources import (
    DomainsApi,
    ProjectsApi,
    UsersApi,
    VersionApi,
    VersionsApi,
)
from snfd.catalog import Catalog
from snfd.identity.people import People
from snfd.identity.service import Authenticator, Identity
from snfd.projects.service import Projects


def versions(authenticator: Authenticator, catalog: Catalog) -> Served:
    """What stands at ``/identity`` itself."""
    dialect = keystone(catalog.identity("v3"))
    return build(dialect, authenticator, VersionsApi(catalog))


def resource(
    authenticator: Authenticator,
    identity: Identity,
    people: People,
    projects: Projects,
    catalog: Catalog,
    peers: Peers = DIRECT,
) -> Served:
    """Everything below ``/identity/v3``."""
    base = catalog.identity("v3")
    return build(
        keystone(base),
        authenticator,
        VersionApi(catalog),
        AuthApi(authenticator, identity, projects, catalog, peers),
        ProjectsApi(projects, base),
        UsersApi(people, base),
        DomainsApi(base),
    )
