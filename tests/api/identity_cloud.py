"""The identity APIs of one test, as browsers in memory."""

from __future__ import annotations

from uuid import uuid4, uuid5

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from api.openstack import identity as v3
from api.synnefo import account
from api.synnefo import identity as v2
from api.synnefo.account.commissions import CommissionsApi
from api.synnefo.account.memberships import MembershipsApi
from api.synnefo.account.names import AccountApi
from api.synnefo.account.projects import ProjectsApi
from api.synnefo.account.quotas import QuotasApi
from snfd.accounts.wired import Accounts
from snfd.catalog import KINDS, Catalog
from snfd.config import Urls
from snfd.identity.credentials import Credentials
from snfd.identity.directory import Directory
from snfd.quota.reports import Reports
from snfd.registry.importing import Services
from tests.accounts.cloud import AccountCloud
from tests.api.memory import Browser, Response
from tests.identity.cloud import SPACE, IdentityCloud, identity_cloud
from tests.postgres import keep

URLS = Urls(
    astakos="https://a.test",
    cyclades="https://c.test",
    pithos="https://p.test",
    console="https://x.test",
)


@define(eq=False, slots=False)
class IdentityApis:
    """Users demo (member of demo), reader, alt (member of alt), admin, gone.

    :ivar more: names of one letter each of further users.
    """

    case: SynchronousTestCase
    more: str = ""
    cloud: IdentityCloud = field(init=False)
    catalog: Catalog = field(init=False)
    accounts: Accounts = field(init=False)
    v2: Browser = field(init=False)
    v3: Browser = field(init=False)
    root: Browser = field(init=False)
    account: Browser = field(init=False)

    def __attrs_post_init__(self) -> None:
        kept = f"{type(self).__name__} {self.more}"
        cloud = self.cloud = identity_cloud(self.case, kept)
        self.accounts = AccountCloud(cloud).accounts
        others = Services(cloud.db).others
        self.catalog = Catalog(URLS, KINDS, registered=others)
        self.demo, self.reader, self.alt, self.admin, self.gone = (
            uuid5(SPACE, name) for name in ("demo", "reader", "alt", "admin", "gone")
        )
        self.project = uuid5(SPACE, "project demo")
        self.other = uuid5(SPACE, "project alt")
        keep(cloud.db, kept, self.fill)
        self.v2 = Browser(
            v2.resource(
                cloud.authenticator,
                cloud.identity,
                cloud.projects,
                self.catalog,
                components=cloud.components,
            )
        )
        self.v3 = Browser(
            v3.resource(
                v3.Services(
                    authenticator=cloud.authenticator,
                    identity=cloud.identity,
                    people=cloud.people,
                    projects=cloud.projects,
                    catalog=self.catalog,
                    credentials=Credentials(cloud.db, cloud.clock, uuid4, cloud.random),
                    directory=Directory(cloud.db),
                    accounts=self.accounts,
                    project_admin=cloud.project_parts.admin,
                )
            )
        )
        self.root = Browser(v3.versions(cloud.authenticator, self.catalog))
        self.account = Browser(
            account.resource(
                cloud.authenticator,
                AccountApi(cloud.people, cloud.feedback, cloud.unknown_names),
                QuotasApi(cloud.quota, Reports(cloud.db)),
                CommissionsApi(cloud.commissions),
                ProjectsApi(cloud.project_parts.desk),
                MembershipsApi(cloud.project_parts.memberships, cloud.unknown_names),
                components=cloud.components,
            )
        )

    def fill(self) -> None:
        """Make everybody; tests in turn share what this does to the database."""
        cloud = self.cloud
        for name in ("demo", "reader", "alt", "gone", *self.more):
            cloud.user(name)
        cloud.user("admin", "secret", "admin")
        cloud.project("demo", {"cyclades.vm": 20}, demo="member", reader="reader")
        cloud.project("alt", {}, alt="member", reader="reader")
        for name in ("demo", "reader"):
            cloud.default(name, self.project)
        cloud.execute(
            "UPDATE identity.app_user SET is_active = false WHERE uuid = %s", self.gone
        )

    def token(self, name: str, project: str | None = None) -> str:
        """A fresh token from a login, scoped to ``project`` or the default."""
        return self.cloud.login(name, project).secret

    def personal(self, name: str) -> str:
        """A token that follows the default project, as kamaki is given."""
        answer = self.v2.post(
            "/tokens",
            {"auth": {"passwordCredentials": {"username": name, "password": "secret"}}},
        )
        token: str = answer.json["access"]["token"]["id"]
        return token


def fault(answer: Response) -> tuple[str, int]:
    """Name and code of a Synnefo fault."""
    ((name, body),) = answer.json.items()
    return name, body["code"]
