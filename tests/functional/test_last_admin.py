"""Two administrators who go at once, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from twisted.internet.defer import Deferred, DeferredList

from snfd.accounts.letters import Letters
from snfd.accounts.model import Rules
from snfd.accounts.opening import create_user
from snfd.accounts.service import Lifecycle, keep_admin
from snfd.accounts.store import groups
from snfd.accounts.store import people as store
from snfd.audit import DAEMON
from snfd.db.database import PostgresDatabase
from snfd.db.port import Transaction
from snfd.errors import Conflict
from snfd.mail.service import Post
from snfd.mail.staff import Staff
from snfd.projects import lifecycle
from snfd.secrets import KeyRing, _Key
from tests.db.cases import DatabaseCase, pause

NOW = datetime(2030, 1, 1, tzinfo=UTC)
Work = Callable[[Transaction, UUID], Awaitable[object]]


def accounts() -> Lifecycle:
    """What happens to accounts, told to nobody."""
    letters = Letters(Post(KeyRing((_Key(bytes(32)),))), "https://a.test", Staff())
    return Lifecycle(
        Rules(), letters, lifecycle.suspend_of_user, lifecycle.unsuspend_of_user
    )


async def deactivated(tx: Transaction, user: UUID) -> None:
    await accounts().deactivate(tx, user, "", DAEMON, NOW)
    await pause(0.1)


async def closed(tx: Transaction, user: UUID) -> None:
    await accounts().close(tx, user, DAEMON, NOW, force=True)
    await pause(0.1)


async def ungrouped(tx: Transaction, user: UUID) -> None:
    await store.find(tx, user, lock=True)
    await keep_admin(tx, user)
    await groups.leave(tx, user, ["admin"])
    await pause(0.1)


class LastAdminTests(DatabaseCase):
    """Whichever way two administrators go at once, one stays."""

    def setUp(self) -> None:
        super().setUp()
        self.dsn = self.server.dsn()
        self.addCleanup(self.server.drop, self.dsn)

    async def admins(self, db: PostgresDatabase) -> list[UUID]:
        made = [uuid4(), uuid4()]
        for number, uuid in enumerate(made):
            await db.run(
                create_user,
                uuid,
                f"a{number}-{uuid.hex}@example.org",
                NOW,
                groups=("admin",),
            )
        return made

    async def both(self, db: PostgresDatabase, first: Work, second: Work) -> None:
        one, two = await self.admins(db)
        done = await DeferredList(
            [
                Deferred.fromCoroutine(_run(db, first, one)),
                Deferred.fromCoroutine(_run(db, second, two)),
            ],
            consumeErrors=True,
        )
        failed: list[Any] = [failure for good, failure in done if not good]
        self.assertEqual(1, len(failed), (first, second))
        self.assertIsInstance(failed[0].value, Conflict)
        [(left,)] = await db.read(
            "SELECT count(*) FROM identity.app_user u"
            " JOIN identity.user_group_member m ON m.user_id = u.uuid"
            " JOIN identity.user_group g ON g.id = m.group_id"
            " WHERE u.is_active AND g.name = 'admin'"
        )
        self.assertEqual(1, left)
        self.server.execute("DELETE FROM identity.user_group_member", self.dsn)

    async def test_one_stays(self) -> None:
        db = self.database(size=2)
        for first in (deactivated, closed, ungrouped):
            for second in (deactivated, closed, ungrouped):
                await self.both(db, first, second)


async def _run(db: PostgresDatabase, work: Work, user: UUID) -> None:
    await db.run(work, user)
