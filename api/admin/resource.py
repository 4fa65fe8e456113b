"""Everything below ``/admin/v1``, for whoever is let in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from api.admin.addresses import AddressHistoryApi, FloatingIpsApi, PortsApi
from api.admin.adoptions import AdoptionsApi
from api.admin.backends import BackendsApi, ServedApi
from api.admin.belongings import BelongingsApi, TokensApi
from api.admin.faults import DIALECT
from api.admin.helpdesk import HelpdeskApi
from api.admin.lists import DirectoryApi, LedgerApi
from api.admin.logins import ClientsApi, ContactApi, PoliciesApi
from api.admin.networks import NetworkPlacesApi, NetworksApi
from api.admin.nodes import NodesApi
from api.admin.numbers import IntegrityApi, NumbersApi
from api.admin.operations import MailApi, WatchApi
from api.admin.people import FactorsApi, ModerationApi, UsersApi
from api.admin.projects import ExpiredApi, MembersApi, ProjectLivesApi, ProjectsApi
from api.admin.ranges import PoolsApi, SubnetsApi
from api.admin.registry import ComponentsApi, ServicesApi, TermsApi
from api.admin.servers import ServerBelongingApi, ServerChangesApi, ServersApi
from api.admin.settled import SettledApi
from api.admin.upkeep import FindingsApi, JobsApi
from api.dispatch import Served, build
from snfd.admin.addresses import AddressViews
from snfd.admin.adoptions import AdoptionViews
from snfd.admin.backends import BackendViews
from snfd.admin.helpdesk import Helpdesk
from snfd.admin.networks import NetworkViews
from snfd.admin.reading import Readings
from snfd.admin.rights import Staff
from snfd.admin.servers import ServerViews
from snfd.admin.settled import Settled
from snfd.admin.upkeep import UpkeepViews
from snfd.compute.adoptions import Adoptions
from snfd.compute.giving import Giving
from snfd.compute.nodes import Nodes
from snfd.compute.stewarding import Stewards

if TYPE_CHECKING:
    from snfd.cloud import Cloud

PATH = "/admin/v1"

Gate = Callable[[str | None], Awaitable[Staff]]
"""Says who presents a token, and what he may; or raises why he is not let in."""


def apis(cloud: Cloud) -> Sequence[object]:
    """One object for each family of resources."""
    parts = cloud.astakos
    admin, accounts = parts.admin, parts.accounts
    clusters = BackendViews(admin.db, admin.find), cloud.backends
    return [
        DirectoryApi(admin.directory),
        UsersApi(admin, accounts.editing),
        ModerationApi(admin, accounts.moderation),
        FactorsApi(admin, parts.second_factors),
        BelongingsApi(admin, accounts.groups, accounts.terms, parts.projects.admin),
        TokensApi(admin, accounts.tokens),
        LedgerApi(admin.ledger),
        NumbersApi(admin, admin.numbers),
        SettledApi(Settled(admin.db, admin.find)),
        IntegrityApi(parts.integrity),
        ProjectsApi(admin, parts.projects.admin),
        ProjectLivesApi(admin, parts.projects.admin),
        MembersApi(admin, parts.projects.admin),
        ExpiredApi(parts.projects.ends),
        ComponentsApi(parts.registry),
        ServicesApi(parts.services),
        TermsApi(accounts.terms),
        BackendsApi(*clusters),
        *_networks(cloud),
        *_addresses(cloud),
        ServedApi(*clusters),
        AdoptionsApi(AdoptionViews(admin.db), admin.find, Adoptions(admin.db)),
        NodesApi(Nodes(admin.db, cloud.compute.handoffs.reports)),
        PoliciesApi(admin, parts.weblogin.policies),
        ClientsApi(parts.weblogin.oauth2),
        ContactApi(admin, admin.contact),
        MailApi(admin.directory, admin.outbox),
        WatchApi(admin.trail, admin.doctor, admin.statistics),
        *_servers(cloud),
        FindingsApi(UpkeepViews(admin.db), cloud.mends),
        JobsApi(UpkeepViews(admin.db), cloud.mends),
    ]


def _networks(cloud: Cloud) -> Sequence[object]:
    views = NetworkViews(cloud.astakos.admin.db, cloud.astakos.admin.find)
    staff = cloud.networks.staff
    return [
        NetworksApi(views, staff),
        NetworkPlacesApi(views, staff),
        SubnetsApi(views, staff.subnets),
        PoolsApi(views, staff.pools),
    ]


def _addresses(cloud: Cloud) -> Sequence[object]:
    views = AddressViews(cloud.astakos.admin.db, cloud.astakos.admin.find)
    staff = cloud.compute.address_staff
    return [
        PortsApi(views, staff),
        FloatingIpsApi(views, staff),
        AddressHistoryApi(views),
    ]


def _servers(cloud: Cloud) -> Sequence[object]:
    admin, stewards = cloud.astakos.admin, Stewards(cloud.compute)
    views = ServerViews(admin.db, admin.find)
    return [
        ServersApi(views, stewards, Readings(admin.db)),
        ServerChangesApi(stewards),
        ServerBelongingApi(views, stewards, Giving(admin.db)),
        HelpdeskApi(Helpdesk.build(admin.db, admin.directory, admin.ledger)),
    ]


def resource(cloud: Cloud, gate: Gate | None = None) -> Served:
    """All operations.

    :param gate: None for tokens of the cloud's users.
    """
    chosen: Any = gate or cloud.astakos.admin.staff
    return build(DIALECT, chosen, *apis(cloud))
