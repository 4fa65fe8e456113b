"""All services in one value: what plugins hand on to the APIs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from snfd.accounts.wired import Accounts
    from snfd.admin.service import Administration
    from snfd.catalog import Catalog
    from snfd.compute.backends import Backends
    from snfd.compute.console import ConsoleTickets
    from snfd.compute.mends import Mends
    from snfd.compute.service import Compute
    from snfd.config import Config, Urls
    from snfd.identity.allowance import Allowance
    from snfd.identity.credentials import Credentials
    from snfd.identity.directory import Directory
    from snfd.identity.people import People
    from snfd.identity.second_factor import SecondFactors
    from snfd.identity.service import Authenticator, Identity
    from snfd.image.service import Images
    from snfd.image.uploads import ImageUploads
    from snfd.logins.wired import WebLogin
    from snfd.mail.feedback import Feedback
    from snfd.network.service import NetworkServices
    from snfd.objects.service import ObjectStore
    from snfd.observe import Metrics
    from snfd.projects.service import Projects
    from snfd.projects.wired import ProjectServices
    from snfd.quota.commissions import Commissions
    from snfd.quota.integrity import Integrity
    from snfd.quota.reports import Reports
    from snfd.quota.service import Quota
    from snfd.registry.importing import Services
    from snfd.registry.service import Registry
    from snfd.registry.tokens import Components
    from snfd.tasks import Tasks
    from storage.download import Reader
    from storage.workers import Workers
    from storage.writer import Writer
    from vnc.console import Consoles


@frozen(kw_only=True, eq=False)
class Astakos:
    """The services of accounts, projects, quotas and the registry."""

    accounts: Accounts
    weblogin: WebLogin
    admin: Administration
    credentials: Credentials
    directory: Directory
    second_factors: SecondFactors
    components: Components
    commissions: Commissions
    reports: Reports
    integrity: Integrity
    feedback: Feedback
    unknown_names: Allowance
    forms: Allowance
    registry: Registry
    services: Services
    projects: ProjectServices


@frozen(kw_only=True, eq=False)
class Cloud:
    """The services of this process.

    :ivar clock: the reactor.
    :ivar pages: directory of the built web pages.
    :ivar ready: returns, or raises what is away.
    """

    config: Config
    clock: Any
    tasks: Tasks
    metrics: Metrics
    urls: Urls
    catalog: Catalog
    authenticator: Authenticator
    identity: Identity
    people: People
    projects: Projects
    quota: Quota
    astakos: Astakos
    compute: Compute
    backends: Backends
    mends: Mends
    networks: NetworkServices
    tickets: ConsoleTickets
    consoles: Consoles
    store: ObjectStore
    images: Images
    image_uploads: ImageUploads
    writer: Writer
    reader: Reader
    workers: Workers
    pages: Path
    ready: Callable[[], Awaitable[None]]
