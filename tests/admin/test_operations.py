"""``/admin/v1``: letters and the audit trail."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from api.addresses import DIRECT, Peers
from api.admin.faults import DIALECT
from api.admin.operations import MailApi
from api.admin.resource import PATH
from api.dispatch import build
from api.root import Root
from snfd.audit import DAEMON, Filter, record
from snfd.db.port import Transaction
from snfd.mail.model import Kind, Letter
from snfd.mail.service import Post
from snfd.observe import Metrics
from snfd.plugin import Mount
from tests.admin.test_api import AdminCase
from tests.api.memory import Browser


class MailTests(AdminCase):
    def setUp(self) -> None:
        super().setUp()
        gate: Any = self.services.staff
        letters = MailApi(self.services.directory, self.services.outbox)
        self.served = build(DIALECT, gate, letters)
        self.web = Browser(self.served, self.web.token)
        post = Post(self.cloud.keys)
        letter = Letter("e:1", "a@example.org", Kind.CONTACT, {"text": "secret"})
        self.cloud.wait(self.cloud.db.run(post.put, letter))

    def test_a_new_letter_is_due_at_once(self) -> None:
        (shown,) = self.get("/mails")["items"]
        self.assertEqual(("new", None), (shown["state"], shown["due"]))
        self.assertNotIn("secret", str(shown))

    def test_a_letter_that_was_put_off_tells_until_when(self) -> None:
        self.cloud.execute("UPDATE ops.mail SET due = '2030-01-01 12:00+00'")
        (shown,) = self.get("/mails?state=new&to=A@example.org")["items"]
        self.assertEqual("2030-01-01T12:00:00", shown["due"][:19])
        answer = self.web.post(f"/mails/{shown['id']}/retry")
        self.assertEqual(202, answer.status, answer.body)
        (shown,) = self.get("/mails")["items"]
        self.assertIsNone(shown["due"])

    def test_the_trail_tells_where_an_administrator_was(self) -> None:
        (shown,) = self.get("/mails")["items"]
        mounts = [Mount(PATH, DIALECT.name, self.served)]
        for peers, address in (
            (Peers.of(["127.0.0.1"]), "198.51.100.7"),
            (DIRECT, "127.0.0.1"),
        ):
            root = Root(mounts, Metrics(), self.cloud.clock, peers)
            answer = Browser(root, self.web.token).post(
                f"{PATH}/mails/{shown['id']}/retry",
                headers={"X-Forwarded-For": "192.0.2.1, 198.51.100.7"},
            )
            self.assertEqual(202, answer.status, answer.body)
            found = self.services.trail.page(Filter(action="mail.retry"))
            entry = self.cloud.wait(found).entries[0]
            self.assertEqual(
                ("admin", address), (entry.actor_name, entry.details["address"])
            )


class AuditTests(AdminCase):
    def test_what_happened_between_two_moments(self) -> None:
        async def work(tx: Transaction) -> None:
            for action in ("test.old", "test.middle", "test.new"):
                await record(tx, DAEMON, action, "user:1")

        self.cloud.wait(self.cloud.db.run(work))
        self.cloud.execute(
            "UPDATE ops.audit SET at = CASE action WHEN 'test.old' THEN '2030-01-01Z'"
            " WHEN 'test.middle' THEN '2030-01-02Z' ELSE '2030-01-03Z' END::timestamptz"
            " WHERE action LIKE 'test.%%'"
        )
        for since, until, seen in (
            (None, None, ["new", "middle", "old"]),
            ("2030-01-02T00:00:00Z", None, ["new", "middle"]),
            (None, "2030-01-03T00:00:00Z", ["middle", "old"]),
            ("2030-01-02T01:00:00+01:00", "2030-01-03T00:00:00Z", ["middle"]),
            ("2031-01-01T00:00:00Z", None, []),
        ):
            asked = {"action": "test", "since": since, "until": until}
            query = urlencode({key: value for key, value in asked.items() if value})
            found = self.get(f"/audit?{query}")["items"]
            self.assertEqual(
                seen, [one["action"].removeprefix("test.") for one in found], query
            )
        self.get("/audit?since=yesterday", 400)
