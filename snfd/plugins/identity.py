"""Identity: tokens, projects, accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.plugin import IApi, Mount

if TYPE_CHECKING:
    from snfd.cloud import Cloud


@implementer(IApi, IPlugin)
@frozen
class IdentityApi:
    """Identity v3, and v2.0 with Synnefo's account API."""

    kind: str = "identity"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.addresses import Peers

        peers = Peers.of(cloud.config.identity.trusted_proxies)
        return [
            *_openstack(cloud, peers),
            Mount("/identity/v2.0", "synnefo", _v2(cloud, peers)),
            Mount("/account/v1.0", "synnefo", _account(cloud, peers)),
        ]


def _openstack(cloud: Cloud, peers: Any) -> Sequence[Mount]:
    from api.openstack import identity as v3

    parts = v3.Services(
        authenticator=cloud.authenticator,
        identity=cloud.identity,
        people=cloud.people,
        projects=cloud.projects,
        catalog=cloud.catalog,
        credentials=cloud.astakos.credentials,
        directory=cloud.astakos.directory,
        accounts=cloud.astakos.accounts,
        project_admin=cloud.astakos.projects.admin,
        peers=peers,
    )
    versions = v3.versions(cloud.authenticator, cloud.catalog)
    return [
        Mount("/identity", "openstack", versions),
        Mount("/identity/v3", "openstack", v3.resource(parts)),
    ]


def _v2(cloud: Cloud, peers: Any) -> Any:
    from api.synnefo import identity as v2

    return v2.resource(
        cloud.authenticator,
        cloud.identity,
        cloud.projects,
        cloud.catalog,
        *_users(cloud),
        components=cloud.astakos.components,
        peers=peers,
        granted=cloud.astakos.weblogin.oauth2.validate,
    )


def _users(cloud: Cloud) -> Sequence[object]:
    """The admin user API, where it is switched on."""
    from api.synnefo.users import UsersApi

    users = cloud.astakos.accounts.users
    return [UsersApi(users)] if cloud.config.identity.admin_api else []


def _account(cloud: Cloud, peers: Any) -> Any:
    from api.doors import Door
    from api.session import MethodsApi, SessionApi
    from api.synnefo import account
    from api.synnefo.account import own
    from api.synnefo.account.commissions import CommissionsApi
    from api.synnefo.account.memberships import MembershipsApi
    from api.synnefo.account.names import AccountApi
    from api.synnefo.account.projects import ProjectsApi
    from api.synnefo.account.quotas import QuotasApi
    from api.synnefo.account.second_factor import SecondFactorApi

    parts = cloud.astakos
    return account.resource(
        cloud.authenticator,
        AccountApi(cloud.people, parts.feedback, parts.unknown_names),
        QuotasApi(cloud.quota, parts.reports),
        CommissionsApi(parts.commissions),
        ProjectsApi(parts.projects.desk),
        MembershipsApi(parts.projects.memberships, parts.unknown_names),
        SecondFactorApi(parts.second_factors, peers),
        SessionApi(parts.weblogin.sessions, parts.weblogin.secure, peers),
        MethodsApi(parts.weblogin.logins),
        *own.apis(
            parts.accounts,
            cloud.authenticator,
            cloud.authenticator.signer,
            Door(peers, parts.forms),
        ),
        components=parts.components,
    )


identity = IdentityApi()
