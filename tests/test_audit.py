"""Reading the audit trail."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd import audit
from snfd.audit import DAEMON, Actor, Filter, Trail, record
from snfd.db.port import Transaction
from snfd.errors import Invalid
from snfd.mail import store as mail_store
from snfd.mail.box import Outbox
from snfd.mail.model import Kind, Letter
from snfd.observe import RequestScope
from snfd.retention import CHUNK, Keep, Retention
from tests.identity.cloud import identity_cloud

ROOT = Actor(None, "root")
ANNA = Actor(UUID(int=1), "anna", "192.0.2.1")


class TrailTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.trail = Trail(self.cloud.db)
        self.cloud.execute("DELETE FROM ops.audit")

    def did(self, actor: Actor, action: str, target: str = "user:1") -> None:
        async def work(tx: Transaction) -> None:
            await record(tx, actor, action, target, reason="because")

        self.cloud.wait(self.cloud.db.run(work))

    def actions(self, limit: int = 100, **wanted: object) -> list[str]:
        page = self.cloud.wait(self.trail.page(Filter(**wanted), limit))  # type: ignore[arg-type]
        return [entry.action for entry in page.entries]

    def test_an_entry_tells_who_did_what_from_where(self) -> None:
        self.did(ANNA, "user.deactivate")
        [entry] = self.cloud.wait(self.trail.page(Filter())).entries
        self.assertEqual((ANNA.uuid, "anna"), (entry.actor, entry.actor_name))
        self.assertEqual("user.deactivate", entry.action)
        self.assertEqual({"reason": "because", "address": "192.0.2.1"}, entry.details)

    def test_what_is_done_in_a_request_tells_where_it_comes_from(self) -> None:
        with RequestScope("req-1", lambda: "198.51.100.7"):
            for actor in (ROOT, ANNA, DAEMON):
                self.did(actor, "user.deactivate")
        self.did(ROOT, "user.activate")
        entries = self.cloud.wait(self.trail.page(Filter())).entries
        self.assertEqual(
            [
                ("root", None), ("snfd", None),
                ("anna", "192.0.2.1"), ("root", "198.51.100.7"),
            ],
            [(one.actor_name, one.details.get("address")) for one in entries],
        )  # fmt: skip

    def test_filters(self) -> None:
        self.did(ANNA, "user.deactivate")
        self.did(ROOT, "user.activate", "user:2")
        self.did(DAEMON, "users.count")
        self.did(ROOT, "user")
        self.assertEqual(["user", "user.activate"], self.actions(actor="root"))
        self.assertEqual(["user.deactivate"], self.actions(actor=ANNA.uuid))
        self.assertEqual(
            ["user", "user.activate", "user.deactivate"], self.actions(action="user")
        )
        self.assertEqual(["user.activate"], self.actions(action="user.activate"))
        self.assertEqual(["user.activate"], self.actions(target="user:2"))
        self.assertEqual([], self.actions(action="us%"))
        self.assertEqual(["user"], self.actions(actor="root", target="user:1"))

    def test_times(self) -> None:
        self.did(ANNA, "a")
        [entry] = self.cloud.wait(self.trail.page(Filter())).entries
        second = timedelta(seconds=1)
        self.assertEqual(["a"], self.actions(since=entry.at))
        self.assertEqual([], self.actions(since=entry.at + second))
        self.assertEqual([], self.actions(until=entry.at))
        self.assertEqual(["a"], self.actions(until=entry.at + second))

    def test_pages(self) -> None:
        for number in range(7):
            self.did(ROOT, f"a.{number}")
        seen: list[str] = []
        marker: int | None = None
        sizes = []
        while True:
            page = self.cloud.wait(self.trail.page(Filter(actor="root"), 3, marker))
            seen += [entry.action for entry in page.entries]
            sizes.append(len(page.entries))
            marker = page.marker
            if marker is None:
                break
        self.assertEqual([f"a.{number}" for number in range(6, -1, -1)], seen)
        self.assertEqual([3, 3, 1], sizes)
        for limit in (0, -1, audit.MAX_PAGE + 1):
            self.cloud.fails(self.trail.page(Filter(), limit), Invalid)

    def test_old_entries_are_removed_a_few_at_a_time(self) -> None:
        for number in range(3):
            self.did(ROOT, f"a.{number}")
        self.cloud.execute(
            "UPDATE ops.audit SET at = '2020-01-01' WHERE action <> 'a.2'"
        )
        before = datetime.fromisoformat("2021-01-01T00:00Z")
        self.assertEqual(1, self.cloud.wait(self.cloud.db.run(audit.purge, before, 1)))
        self.assertEqual(1, self.cloud.wait(self.cloud.db.run(audit.purge, before, 10)))
        self.assertEqual(["a.2"], self.actions())


class RetentionTests(SynchronousTestCase):
    def test_rounds_go_on_until_little_is_left(self) -> None:
        cloud = identity_cloud(self)
        clock, calls = Clock(), []

        async def purge(tx: Transaction, before: datetime, limit: int) -> int:
            calls.append((clock.seconds(), before.timestamp(), limit))
            return CHUNK if len(calls) < 3 else 7

        keep = Keep(purge, timedelta(days=1))
        retention = Retention(clock, cloud.db, [keep])
        clock.advance(86400 * 10)
        retention.startService()
        clock.pump([1.0] * 100)
        start = 86400.0 * 10
        self.assertEqual(
            [(start + more, start + more - 86400, CHUNK) for more in (0, 1, 2)], calls
        )
        clock.advance(3600)
        self.assertEqual(4, len(calls))
        self.successResultOf(retention.stopService())
        self.assertEqual([], clock.getDelayedCalls())


class OutboxTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.box = Outbox(self.cloud.db, self.cloud.clock)
        letter = Letter("e:1", "a@example.org", Kind.CONTACT)
        self.cloud.wait(self.cloud.db.run(mail_store.insert, letter, b"words", None))
        [(ident,)] = self.cloud.sql("SELECT id FROM ops.mail")
        assert isinstance(ident, int)
        self.ident = ident

    def trail(self) -> list[object]:
        return [row[0] for row in self.cloud.sql("SELECT action FROM ops.audit")]

    def test_a_letter_is_hurried(self) -> None:
        self.cloud.execute("UPDATE ops.mail SET due = '2100-01-01'")
        self.cloud.wait(self.box.hurry(ROOT, self.ident))
        self.assertEqual([(True,)], self.cloud.sql("SELECT due < now() FROM ops.mail"))
        self.assertIn("mail.retry", self.trail())
        self.cloud.fails(self.box.hurry(ROOT, self.ident + 1), Exception)

    def test_a_letter_is_given_up_and_forgotten(self) -> None:
        self.cloud.wait(self.box.give_up(ROOT, self.ident, "wrong address"))
        self.assertEqual(
            [("failed", None, "wrong address")],
            self.cloud.sql("SELECT state, words, last_error FROM ops.mail"),
        )
        self.assertIn("mail.give_up", self.trail())
        self.cloud.fails(self.box.give_up(ROOT, self.ident, "again"), Exception)
        self.cloud.fails(self.box.hurry(ROOT, self.ident), Exception)
