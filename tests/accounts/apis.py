"""The account APIs of one test, as browsers in memory."""

from __future__ import annotations

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from api.synnefo import account
from api.synnefo import identity as v2
from api.synnefo.account import own
from api.synnefo.account.names import AccountApi
from api.synnefo.users import UsersApi
from snfd.catalog import KINDS, Catalog
from tests.accounts.cloud import AccountCloud
from tests.api.identity_cloud import URLS
from tests.api.memory import Browser
from tests.identity.cloud import IdentityCloud, identity_cloud


@define(eq=False)
class AccountApis:
    """Nobody yet, and what people can ask."""

    case: SynchronousTestCase
    cloud: IdentityCloud = field(init=False)
    people: AccountCloud = field(init=False)
    account: Browser = field(init=False)
    v2: Browser = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.cloud = identity_cloud(self.case)
        self.people = AccountCloud(self.cloud)
        self.build()

    def build(self) -> None:
        """Serve the accounts as their rules are now."""
        cloud, accounts = self.cloud, self.people.accounts
        known = cloud.authenticator
        self.account = Browser(
            account.resource(
                known,
                AccountApi(cloud.people, cloud.feedback, cloud.unknown_names),
                *own.apis(accounts, known, known.signer),
                components=cloud.components,
            )
        )
        self.v2 = Browser(
            v2.resource(
                known,
                cloud.identity,
                cloud.projects,
                Catalog(URLS, KINDS),
                UsersApi(accounts.users),
                components=cloud.components,
            )
        )

    def token(self, name: str, password: str = "secret") -> str:
        """A fresh token from a login."""
        return self.cloud.login(f"{name}@example.org", password=password).secret

    def session(self, name: str, password: str = "secret") -> str:
        """A token of a browser's session."""
        secret = self.token(name, password)
        self.cloud.execute(
            "UPDATE identity.api_token SET kind = 'session' WHERE hash = %s",
            self.cloud.wait(self.cloud.authenticator(secret)).token_hash,
        )
        return secret

    def status(self, token: str) -> int:
        """How a token is answered."""
        return self.account.get("/profile", token=token).status
