"""People and projects to test with, on a database that forgets them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid4, uuid5

from argon2 import PasswordHasher
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd import secrets
from snfd.accounts.opening import create_user
from snfd.clock import now
from snfd.identity.allowance import Allowance
from snfd.identity.model import By, Issued, Scope, Scoping, UserRef
from snfd.identity.passwords import Passwords
from snfd.identity.people import People
from snfd.identity.proof import Verifier
from snfd.identity.service import Authenticator, Identity
from snfd.identity.throttle import Throttle
from snfd.mail.feedback import Feedback
from snfd.mail.service import Post
from snfd.mail.staff import Staff
from snfd.projects import service as projects
from snfd.projects.letters import Letters
from snfd.projects.parts import Parts
from snfd.projects.service import Projects
from snfd.projects.wired import ProjectServices
from snfd.quota import service as quota
from snfd.quota.commissions import Commissions
from snfd.quota.model import Limit
from snfd.registry.tokens import Components
from snfd.secrets import KeyRing
from tests.blocking import BlockingDatabase
from tests.postgres import blocking_database

T = TypeVar("T")

START = datetime(2030, 1, 1, tzinfo=UTC)
SPACE = UUID("5f0a3a52-0f66-4a7d-9c1c-0d5b1c3b8a10")


def wait_for(case: SynchronousTestCase, awaitable: Awaitable[T]) -> T:
    """The result of what answers at once."""

    async def whole() -> T:
        return await awaitable

    return case.successResultOf(Deferred.fromCoroutine(whole()))


@define
class CountingThread:
    """A `Thread` that works at once and counts."""

    works: int = 0

    async def __call__(self, work: Callable[[], T]) -> T:
        self.works += 1
        return work()


@define
class CountingRandom:
    """Bytes that look random and repeat from run to run."""

    count: int = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return hashlib.shake_128(str(self.count).encode()).digest(size)


def cheap() -> PasswordHasher:
    """Argon2id that costs next to nothing."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@define(eq=False)
class IdentityCloud:
    """The identity services of one test, and shorthands to fill them."""

    case: SynchronousTestCase
    db: BlockingDatabase
    clock: Clock = field(factory=Clock)
    thread: CountingThread = field(factory=CountingThread)
    random: CountingRandom = field(factory=CountingRandom)
    used: list[bytes] = field(factory=list)
    keys: KeyRing = field(factory=lambda: KeyRing((secrets._Key(bytes(32)),)))
    passwords: Passwords = field(init=False)
    throttle: Throttle = field(init=False)
    verifier: Verifier = field(init=False)
    identity: Identity = field(init=False)
    authenticator: Authenticator = field(init=False)
    people: People = field(init=False)
    projects: Projects = field(init=False)
    quota: quota.Quota = field(init=False)
    project_parts: ProjectServices = field(init=False)
    components: Components = field(init=False)
    commissions: Commissions = field(init=False)
    feedback: Feedback = field(init=False)
    unknown_names: Allowance = field(init=False)
    helpdesk: list[str] = field(factory=lambda: ["help@example.org"])

    def __attrs_post_init__(self) -> None:
        self.clock.advance(START.timestamp())
        self.passwords = Passwords(self.thread, cheap())
        letters = Letters(Post(self.keys), "https://a.test", Staff(self.helpdesk))
        self.project_parts = ProjectServices.build(Parts(self.db, self.clock, letters))
        self.throttle = Throttle(self.db, self.clock)
        self.verifier = Verifier(
            self.db, self.passwords, self.clock, self.keys, self.throttle
        )
        self.identity = Identity(self.db, self.verifier, self.clock, self.random)
        self.authenticator = Authenticator(self.db, self.clock, self.used.append)
        self.people = People(self.db)
        self.projects = Projects(self.db)
        self.quota = quota.Quota(self.db)
        self.components = Components(self.db, self.clock)
        self.commissions = Commissions(self.db)
        self.feedback = Feedback(
            self.db,
            self.people,
            Post(self.keys),
            uuid4,
            Staff(self.helpdesk),
            Allowance(self.db, self.clock, "letters", 5),
        )
        self.unknown_names = Allowance(self.db, self.clock, "unknown names", 2000)

    def wait(self, awaitable: Awaitable[T]) -> T:
        """The result of what answers at once."""
        return wait_for(self.case, awaitable)

    def fails(self, awaitable: Awaitable[object], *kinds: type[Exception]) -> Exception:
        """The error of what fails at once."""

        async def whole() -> object:
            return await awaitable

        failure = self.case.failureResultOf(Deferred.fromCoroutine(whole()), *kinds)
        assert isinstance(failure.value, Exception)
        return failure.value

    def user(self, name: str, password: str | None = "secret", *groups: str) -> UUID:
        """Make a user ``name`` with e-mail ``name@example.org``."""
        uuid = uuid5(SPACE, name)
        hashed = self.wait(self.passwords.hash(password)) if password else None
        self.wait(
            self.db.run(
                create_user,
                uuid,
                f"{name}@example.org",
                now(self.clock),
                username=name,
                password_hash=hashed,
                groups=groups,
            )
        )
        return uuid

    def project(
        self, name: str, limits: Mapping[str, int] | None = None, **members: str
    ) -> UUID:
        """Make a project with ``members``, username → role."""
        uuid = uuid5(SPACE, "project " + name)
        caps = {key: Limit(cap, cap) for key, cap in (limits or {}).items()}
        self.wait(self.db.run(projects.create, uuid, name, None, caps, now(self.clock)))
        for member, role in members.items():
            self.wait(
                self.db.run(projects.add_member, uuid, uuid5(SPACE, member), role)
            )
        return uuid

    def default(self, name: str, project: UUID) -> None:
        """Make ``project`` the default of a user."""
        self.wait(self.db.run(projects.set_default, uuid5(SPACE, name), project, START))

    def sql(self, text: str, *params: object) -> list[tuple[object, ...]]:
        """Run a query on the side."""
        return self.wait(self.db.read(text, params))

    def execute(self, text: str, *params: object) -> int:
        """Change something on the side."""

        async def work(tx: object) -> int:
            return await tx.execute(text, params)  # type: ignore[attr-defined, no-any-return]

        return self.wait(self.db.run(work))

    def login(
        self, name: str, project: str | None = None, password: str = "secret"
    ) -> Issued:
        """A fresh token, scoped to ``project`` (name) or the default one."""
        scope = (
            Scope(Scoping.PROJECT, project, By.NAME)
            if project
            else Scope(Scoping.DEFAULT)
        )
        return self.wait(self.identity.login(UserRef(name), password, scope))


def identity_cloud(case: SynchronousTestCase, kept: str = "") -> IdentityCloud:
    """An empty cloud with all resources registered.

    :param kept: as in `tests.postgres.blocking_database`.
    """
    return IdentityCloud(case, blocking_database(case, kept))
