"""Accounts to test with, on a database that forgets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import msgspec
from attrs import define, evolve, field

from snfd.accounts.letters import Letters
from snfd.accounts.model import Rules
from snfd.accounts.parts import Background, Parts
from snfd.accounts.service import Lifecycle
from snfd.accounts.signup import Form
from snfd.accounts.wired import Accounts
from snfd.audit import Actor
from snfd.identity.model import Caller
from snfd.mail.service import Post
from snfd.mail.staff import Staff
from snfd.projects import lifecycle
from snfd.sealed import MAIL
from snfd.tasks import Tasks
from tests.identity.cloud import SPACE, IdentityCloud

ROOT = Actor(None, "root")
STAFF = ("staff@example.org",)


@define
class CountingIds:
    """Uuids that repeat from run to run."""

    count: int = 0

    def __call__(self) -> UUID:
        self.count += 1
        return uuid5(SPACE, f"account {self.count}")


@define(frozen=True)
class Posted:
    """A letter that was put into the box."""

    kind: str
    to: str
    values: Mapping[str, str]

    @property
    def secret(self) -> str:
        """What its link carries."""
        return self.values["link"].partition("=")[2]


@define(eq=False)
class AccountCloud:
    """Accounts of one test, and shorthands."""

    cloud: IdentityCloud
    rules: Rules = field(factory=Rules)
    ids: CountingIds = field(factory=CountingIds)
    parts: Parts = field(init=False)
    accounts: Accounts = field(init=False)

    def __attrs_post_init__(self) -> None:

        self.use(self.rules)

    def use(self, rules: Rules) -> None:
        """Build the parts anew, with other rules."""
        cloud = self.cloud
        letters = Letters(Post(cloud.keys), "https://a.test", Staff(STAFF))
        self.parts = Parts(
            db=cloud.db,
            clock=cloud.clock,
            passwords=cloud.passwords,
            guesses=cloud.throttle,
            random=cloud.random,
            new_id=self.ids,
            rules=rules,
            letters=letters,
            lifecycle=Lifecycle(
                rules,
                letters,
                lifecycle.suspend_of_user,
                lifecycle.unsuspend_of_user,
            ),
            background=Background(Tasks()),
        )
        self.accounts = Accounts.of(self.parts)

    def rule(self, **changes: Any) -> None:
        """Have other rules."""
        self.use(evolve(self.parts.rules, **changes))

    def letters(self, kind: str | None = None) -> list[Posted]:
        """All letters so far, or those of a kind, oldest first."""
        found = []
        for event, to, kind_, words in self.cloud.sql(
            "SELECT event, recipient, kind, words FROM ops.mail ORDER BY id"
        ):
            opened = self.cloud.keys.open(words, *MAIL.at(f"{event}/{to}"))  # type: ignore[arg-type]
            values = msgspec.json.decode(opened, type=dict[str, str])
            found.append(Posted(str(kind_), str(to), values))
        return [one for one in found if kind in (None, one.kind)]

    def audited(self) -> list[str]:
        """Every action of the audit trail, oldest first."""
        rows = self.cloud.sql("SELECT action FROM ops.audit ORDER BY id")
        return [str(row[0]) for row in rows]

    def sign_up(self, name: str, password: str = "secret") -> None:
        """Send the form."""
        form = Form(f"{name}@example.org", password, name.title(), "Person")
        self.cloud.wait(self.accounts.signup.sign_up(form))

    def uuid(self, name: str) -> UUID:
        """The account with that address."""
        ((found,),) = self.cloud.sql(
            "SELECT uuid FROM identity.app_user WHERE username = %s",
            f"{name}@example.org",
        )
        assert isinstance(found, UUID)
        return found

    def verify(self) -> bool:
        """Follow the link of the last letter of verification."""
        secret = self.letters("verify")[-1].secret
        return self.cloud.wait(self.accounts.signup.verify(secret))

    def member(self, name: str) -> UUID:
        """Somebody who signed up and was let in."""
        self.sign_up(name)
        user = self.uuid(name)
        if not self.verify():
            self.cloud.wait(self.accounts.moderation.accept(user, ROOT))
        return user

    def caller(self, name: str, password: str = "secret") -> Caller:
        """Somebody with a fresh token."""
        return self.cloud.login(f"{name}@example.org", password=password).token.caller

    def state(self, user: UUID) -> str:
        """Where an account stands."""
        from snfd.accounts.service import find

        return str(self.cloud.wait(self.cloud.db.run(find, user)).state)
