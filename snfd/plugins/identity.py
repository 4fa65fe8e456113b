"""Identity: tokens, projects, accounts."""

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
class IdentityApi:
    """Identity v3, and v2.0 with Synnefo's account API."""

    kind: str = "identity"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.openstack import identity as v3
        from api.synnefo import account
        from api.synnefo import identity as v2
        from api.synnefo.account.commissions import CommissionsApi
        from api.synnefo.account.names import AccountApi

        known = cloud.authenticator, cloud.identity
        return [
            Mount(
                "/identity",
                "openstack",
                v3.versions(cloud.authenticator, cloud.catalog),
            ),
            Mount(
                "/identity/v3",
                "openstack",
                v3.resource(*known, cloud.people, cloud.projects, cloud.catalog),
            ),
            Mount("/identity/v2.0", "synnefo", v2.resource(*known, cloud.catalog)),
            Mount(
                "/account/v1.0",
                "synnefo",
                account.resource(
                    cloud.authenticator,
                    AccountApi(cloud.people, cloud.quota),
                    CommissionsApi(cloud.astakos.commissions),
                    components=cloud.astakos.components,
                ),
            ),
        ]


identity = IdentityApi()
