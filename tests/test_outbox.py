"""Intents in the outbox, before any dispatcher sees them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from twisted.trial.unittest import SynchronousTestCase

from snfd import outbox
from snfd.db.port import Transaction
from snfd.errors import Conflict, Invalid
from snfd.ganeti import store
from snfd.intent import Intent, State
from tests.postgres import blocking_database


class OutboxTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = blocking_database(self)
        given = {"url": "https://one:5080", "username": "snfd"}
        self.cluster: int = self.run_in(store.add, "one", given)

    def run_in(self, work: Any, *args: Any) -> Any:
        return self.successResultOf(self.database.run(work, *args))

    def intent(self, subject: str = "server:1", **more: Any) -> Intent:
        return Intent(
            uuid4(), self.cluster, "OP_X", subject, {"name": "x", "n": 1}, **more
        )

    def test_what_was_put_is_open_in_order(self) -> None:
        first = self.intent(actor=uuid4(), request_id="req-1")
        second = self.intent(depends=(first.id,), depends_on_subject=False)
        for each in (first, second, self.intent("server:2")):
            self.run_in(outbox.put, each)
        entries = self.run_in(outbox.open_entries, "server:1")
        self.assertEqual([first, second], [each.intent for each in entries])
        self.assertEqual(
            [(State.NEW, None, 0)] * 2,
            [(each.state, each.job, each.attempts) for each in entries],
        )

    def test_putting_notifies_when_it_commits(self) -> None:
        sent: list[tuple[str, Any]] = []

        class Spy:
            async def execute(self, sql: str, params: Any = ()) -> int:
                sent.append((sql, params))
                return 1

        spy: Any = Spy()
        self.successResultOf(_run(outbox.put(spy, self.intent())))
        self.assertEqual(("snfd", f"intent:{self.cluster}"), sent[-1][1])

    def test_what_names_nothing_is_refused(self) -> None:
        for wrong in (
            Intent(uuid4(), self.cluster, "", "server:1", {}),
            Intent(uuid4(), self.cluster, "OP_X", "server", {}),
        ):
            self.failureResultOf(self.database.run(outbox.put, wrong), Invalid)

    def test_an_unknown_cluster_is_refused(self) -> None:
        lost = Intent(uuid4(), 999, "OP_X", "server:1", {})
        self.failureResultOf(self.database.run(outbox.put, lost), Conflict)

    def test_withdrawing_takes_what_nobody_heard_of(self) -> None:
        first, second, other = (
            self.intent(),
            self.intent(),
            self.intent("server:2"),
        )
        for each in (first, second, other):
            self.run_in(outbox.put, each)

        async def claimed(tx: Transaction, ident: UUID) -> None:
            await tx.execute(
                "UPDATE ops.outbox SET state = 'submitting', attempts = 1"
                " WHERE id = %s",
                (ident,),
            )

        self.run_in(claimed, first.id)
        self.assertEqual([second], self.run_in(outbox.withdraw, "server:1"))
        [left] = self.run_in(outbox.open_entries, "server:1")
        self.assertEqual(first.id, left.intent.id)
        self.assertEqual(1, len(self.run_in(outbox.open_entries, "server:2")))


def _run(work: Any) -> Any:
    from twisted.internet.defer import Deferred

    return Deferred.fromCoroutine(work)
