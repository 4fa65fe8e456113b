"""When tokens were used last, and removing dead ones."""

from __future__ import annotations

from datetime import timedelta

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Unavailable
from snfd.identity import upkeep
from snfd.identity.upkeep import TokenUpkeep
from tests.identity.cloud import START, identity_cloud


class TokenUpkeepTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.cloud.user("demo")
        self.first = self.cloud.login("demo").token
        self.second = self.cloud.login("demo").token
        self.upkeep = TokenUpkeep(self.cloud.clock, self.cloud.db)

    def last_used(self) -> dict[bytes, object]:
        rows = self.cloud.sql("SELECT hash, last_used_at FROM identity.api_token")
        return {bytes(row[0]): row[1] for row in rows}  # type: ignore[call-overload]

    def test_uses_are_written_once_a_minute_in_bulk(self) -> None:
        self.upkeep.startService()
        for _ in range(5):
            self.upkeep.used(self.first.hash)
        self.upkeep.used(self.second.hash)
        self.cloud.clock.advance(59)
        self.assertEqual({None}, set(self.last_used().values()))
        before = self.cloud.db.statements
        self.cloud.clock.advance(1)
        self.assertEqual(3, self.cloud.db.statements - before)
        self.assertEqual({START}, set(self.last_used().values()))
        self.successResultOf(self.upkeep.stopService())

    def test_stopping_writes_what_is_left(self) -> None:
        self.upkeep.startService()
        self.cloud.clock.advance(7)
        self.upkeep.used(self.first.hash)
        self.successResultOf(self.upkeep.stopService())
        used = self.last_used()
        self.assertEqual(START + timedelta(seconds=7), used[self.first.hash])
        self.assertIsNone(used[self.second.hash])

    def test_a_failed_round_is_logged_and_followed_by_another(self) -> None:
        class Down:
            error: Exception = RuntimeError("a bug")

            def run(self, *args: object) -> Deferred[None]:
                return fail(self.error)

        up, down = self.upkeep.db, Down()
        self.upkeep.db = down  # type: ignore[assignment]
        self.upkeep.startService()
        self.cloud.clock.advance(60)
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))
        down.error = Unavailable("away")
        self.cloud.clock.advance(60)
        self.assertEqual([], self.flushLoggedErrors())
        self.upkeep.db = up
        self.upkeep.used(self.first.hash)
        self.cloud.clock.advance(60)
        self.assertIsNotNone(self.last_used()[self.first.hash])
        self.successResultOf(self.upkeep.stopService())

    def test_dead_tokens_are_removed_after_a_day(self) -> None:
        self.upkeep.startService()
        self.cloud.clock.advance(48 * 3600)
        self.assertEqual(2, len(self.last_used()))
        self.cloud.clock.advance(60)
        self.assertEqual({}, self.last_used())
        self.successResultOf(self.upkeep.stopService())

    def test_what_is_remembered_is_bounded(self) -> None:
        for number in range(upkeep.MAX_USED + 10):
            self.upkeep.used(number.to_bytes(32, "big"))
        self.assertEqual(upkeep.MAX_USED, len(self.upkeep._used))
