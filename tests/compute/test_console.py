"""Console tickets: once, soon, and only while all is well."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Busy, Conflict, Forbidden, NotFound
from snfd.ganeti.model import Event
from tests.compute.http import http_cloud


class TicketTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.http = http_cloud(self)
        self.parts = self.http.parts
        self.tickets = self.http.tickets
        self.server = self.parts.active()

    def issue(self) -> str:
        text: str = self.ticket().text
        return text

    def ticket(self, who: str = "demo", *, with_password: bool = False) -> Any:
        return self.parts.wait(
            self.tickets.issue(
                self.parts.caller(who),
                self.parts.scope(who),
                self.server.id,
                "novnc",
                with_password=with_password,
            )
        )

    def redeem(self, ticket: str) -> Any:
        return self.parts.wait(self.tickets.redeem(ticket, "127.0.0.1"))

    def refused(self, ticket: str, kind: type[Exception] = NotFound) -> None:
        self.parts.fails(self.tickets.redeem(ticket, "127.0.0.1"), kind)

    def test_cyclades_46_a_ticket_works_once(self) -> None:
        ticket = self.issue()
        self.assertGreaterEqual(len(ticket), 43)
        screen = self.redeem(ticket)
        self.assertEqual(
            ("127.0.0.9", 11000, self.server.id),
            (screen.host, screen.port, screen.server),
        )
        self.assertIsNone(screen.password)
        self.refused(ticket)
        self.refused("x" * 43)

    def test_a_ticket_ages(self) -> None:
        ticket = self.issue()
        self.parts.people.clock.advance(31)
        self.refused(ticket)

    def test_a_password_may_be_asked_for(self) -> None:
        ticket = self.ticket(with_password=True)
        self.assertEqual(8, len(ticket.password))
        self.assertEqual(ticket.password, self.redeem(ticket.text).password)

    def test_a_session_ends_with_its_server(self) -> None:
        screen = self.redeem(self.issue())
        self.assertTrue(self.parts.wait(self.tickets.still_valid(screen.session)))
        other = self.issue()
        self.parts.seen(self.server.id, Event.STOPPED)
        self.assertFalse(self.parts.wait(self.tickets.still_valid(screen.session)))
        self.refused(other)

    def test_a_session_ends_with_its_token(self) -> None:
        screen, other = self.redeem(self.issue()), self.issue()
        self.http.good = False
        self.assertFalse(self.parts.wait(self.tickets.still_valid(screen.session)))
        self.refused(other, Forbidden)
        self.refused(other)

    def test_a_session_ends_with_the_right_to_change_the_server(self) -> None:
        self.http.parts.people.execute(
            "UPDATE compute.server SET owner = %s, shared = true",
            self.parts.caller("boss").user,
        )
        project = self.parts.project
        for became, wanted in (self.http.reads, {project}), (self.http.lost, {project}):
            screen, other = self.redeem(self.issue()), self.issue()
            self.assertTrue(self.parts.wait(self.tickets.still_valid(screen.session)))
            became.update(wanted)
            self.assertFalse(self.parts.wait(self.tickets.still_valid(screen.session)))
            self.refused(other, Forbidden)
            became.clear()

    def test_a_session_that_ended_is_over(self) -> None:
        screen = self.redeem(self.issue())
        self.parts.wait(self.tickets.ended(screen.session, 10, 2000))
        self.assertFalse(self.parts.wait(self.tickets.still_valid(screen.session)))
        kept = self.parts.people.sql(
            "SELECT to_server, to_client FROM compute.console_session WHERE id = %s",
            UUID(screen.session),
        )
        self.assertEqual([(10, 2000)], kept)

    def test_who_gets_none(self) -> None:
        def asked(who: str, kind: type[Exception]) -> None:
            caller, scope = self.parts.caller(who), self.parts.scope(who)
            wanted = self.tickets.issue(caller, scope, self.server.id, "novnc")
            self.parts.fails(wanted, kind)

        asked("other", NotFound)
        asked("watcher", Forbidden)
        self.parts.people.execute("UPDATE compute.server SET console_port = NULL")
        asked("demo", Conflict)
        self.parts.seen(self.server.id, Event.CRASHED)
        asked("demo", Busy)

    def test_tickets_that_nobody_used_are_forgotten(self) -> None:
        self.issue()
        self.parts.people.clock.advance(31)
        self.issue()
        left = self.parts.people.sql("SELECT count(*) FROM compute.console_session")
        self.assertEqual([(1,)], left)

    def test_only_hashes_are_stored(self) -> None:
        ticket = self.ticket(with_password=True)
        rows = str(
            self.parts.people.sql(
                "SELECT row_to_json(t)::text FROM compute.console_session t"
            )
        )
        self.assertNotIn(ticket.text, rows)
        self.assertNotIn(ticket.password, rows)
        self.assertNotIn(ticket.password.encode().hex(), rows)
