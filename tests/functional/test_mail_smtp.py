"""The contract on a real SMTP server, and what only a real one can do wrong."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS

from pocket.certificate import make_pem
from snfd.clock import now
from snfd.errors import Unavailable
from snfd.mail.courier import SmtpCourier
from snfd.mail.port import Parcel
from snfd.mail.smtp import Terms
from snfd.mail.states import Outcome
from snfd.trust import policy
from tests.contracts import mail
from tests.contracts.mail import go
from tests.lab.ports import free_port
from tests.lab.smtp import SmtpServer

QUICK = 0.4
"""Seconds until a server that says nothing is left."""


class Case(mail.CourierContract):
    """A server with the options of the class."""

    options: tuple[str, ...] = ()
    words: dict[str, Any] = {}

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="snfd-smtp-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.certificate = self.folder / "certificate.pem"
        self.certificate.write_bytes(make_pem(["127.0.0.1"], now(reactor)))
        self.server = SmtpServer(self.folder, free_port(), self.with_certificate())
        self.addCleanup(self.server.stop)
        self.server.start()
        self.courier = self.to(**self.words)

    def with_certificate(self) -> tuple[str, ...]:
        return tuple(one.format(self.certificate) for one in self.options)

    def to(
        self, security: str = "none", trusted: bool = True, **words: Any
    ) -> SmtpCourier:
        pem = self.certificate.read_text() if trusted else None
        trust = policy(pem).creatorForNetloc(b"127.0.0.1", self.server.port)
        endpoint: Any = HostnameEndpoint(reactor, b"127.0.0.1", self.server.port)
        if security == "tls":
            endpoint = wrapClientTLS(trust, endpoint)
        starttls = security == "starttls"
        given = {"timeout": QUICK * 5, "patience": QUICK * 5, **words}
        terms = Terms(trust=trust if starttls else None, secure=starttls, **given)
        return SmtpCourier(reactor, endpoint, terms)

    def happens(self, **events: Sequence[int | str]) -> None:
        told = {mail.LOST: "lose", mail.LOST_AFTER: "lose after"}
        names = {"connect": "greet"}
        self.server.script(
            **{
                names.get(point, point): [told.get(str(one), one) for one in list_]
                for point, list_ in events.items()
            }
        )

    def taken(self) -> Sequence[tuple[str, str, bytes]]:
        return [
            (
                one["sender"],
                one["to"][0],
                one["data"].encode("utf-8", "surrogateescape"),
            )
            for one in self.server.taken()
        ]

    def connections(self) -> int:
        return len({one["session"] for one in self.server.taken()})

    async def refused(self, courier: SmtpCourier, why: str) -> None:
        """No connection, for that reason, and nothing secret in it."""
        try:
            await courier.connect()
        except Unavailable as error:
            self.assertIn(why, error.message)
            self.assertNotIn("s3cret", repr(error) + error.message)
        else:
            self.fail("there is a connection")


class PlainTests(Case):
    """Without TLS; and all the ways in which a server can hang."""

    async def test_silence_before_the_end_leaves_no_doubt(self) -> None:
        courier = self.to(timeout=QUICK)
        for point in ("mail", "rcpt", "data"):
            self.happens(**{point: ["hang"]})
            connection = await courier.connect()
            verdict = await connection.send(self.parcel(), go)
            self.assertEqual(Outcome.LATER, verdict.outcome, point)
            self.assertIn("did not answer", verdict.reason)
            self.assertFalse(connection.usable)

    async def test_silence_at_the_end_is_waited_out(self) -> None:
        courier = self.to(timeout=QUICK / 4, patience=QUICK * 2)
        self.happens(end=["hang after"])
        started = reactor.seconds()
        verdict = await (await courier.connect()).send(self.parcel(), go)
        self.assertEqual(Outcome.DOUBTFUL, verdict.outcome)
        self.assertGreater(reactor.seconds() - started, QUICK * 1.5)

    async def test_silence_in_greeting(self) -> None:
        for point in ("greet", "ehlo"):
            self.happens(**{point: ["hang"]})
            await self.refused(self.to(timeout=QUICK), "did not answer in time")

    async def test_nonsense(self) -> None:
        for point in ("greet", "mail", "rcpt", "data"):
            self.happens(**{point: ["mumble"]})
            try:
                verdict = await (await self.to().connect()).send(self.parcel(), go)
                self.assertEqual(Outcome.LATER, verdict.outcome)
            except Unavailable:
                self.assertEqual("greet", point)
        self.assertEqual([], list(self.taken()))

    async def test_a_server_that_takes_nobody(self) -> None:
        for code in (421, 554):
            self.happens(greet=[code])
            await self.refused(self.to(), str(code))

    async def test_no_server_at_all(self) -> None:
        self.server.stop()
        await self.refused(self.to(), "refused")

    async def test_addresses_beyond_ascii(self) -> None:
        parcel = Parcel("snfd@example.org", "jürgen@exämple.org", b"To: x\r\n\r\nx\r\n")
        verdict = await (await self.connected()).send(parcel, go)
        self.assertEqual(Outcome.TAKEN, verdict.outcome, verdict)
        self.assertEqual("jürgen@exämple.org", self.taken()[0][1])

    async def test_stopping_breaks_off_what_is_under_way(self) -> None:
        self.happens(rcpt=["hang"])
        connection = await self.connected()
        sending = connection.send(self.parcel(), go)
        waiting = Deferred.fromCoroutine(sending)
        await connection.close()
        self.assertEqual(Outcome.LATER, (await waiting).outcome)

    async def test_tls_that_is_not_there(self) -> None:
        await self.refused(self.to("starttls"), "TLS")

    async def test_a_login_that_is_not_there(self) -> None:
        courier = self.to(username="snfd", password="s3cret")
        await self.refused(courier, "Authentication schemes")


class AsciiTests(Case):
    """A server of the old days."""

    options = ("--ascii", "yes")

    async def test_it_takes_no_address_beyond_ascii(self) -> None:
        parcel = Parcel("snfd@example.org", "jürgen@example.org", b"To: x\r\n\r\nx\r\n")
        connection = await self.connected()
        verdict = await connection.send(parcel, go)
        self.assertEqual(Outcome.REFUSED, verdict.outcome)
        self.assertIn("ASCII", verdict.reason)
        self.assertTrue(connection.usable)


class StartTlsTests(Case):
    """As most servers want it: STARTTLS, then a login."""

    options = ("--starttls", "{}", "--login", "snfd:s3cret")
    words = {"security": "starttls", "username": "snfd", "password": "s3cret"}

    async def test_a_wrong_password(self) -> None:
        courier = self.to("starttls", username="snfd", password="s3cret2")
        await self.refused(courier, "535")

    async def test_a_certificate_that_nobody_vouches_for(self) -> None:
        words = {**self.words, "trusted": False}
        await self.refused(self.to(**words), "certificate verify failed")

    async def test_a_refused_starttls(self) -> None:
        self.happens(starttls=[454])
        await self.refused(self.to(**self.words), "TLS")

    async def test_nothing_said_before_tls_is_believed(self) -> None:
        self.happens(starttls=["inject"])
        await self.refused(self.to(**self.words), "spoke before TLS")

    async def test_a_lost_or_silent_login(self) -> None:
        for event in ("lose", "hang", 454):
            self.happens(auth=[event, event])  # a refused PLAIN is tried twice
            words = {**self.words, "timeout": QUICK}
            await self.refused(self.to(**words), "mail server: ")


class TlsTests(Case):
    """TLS from the first byte."""

    options = ("--tls", "{}")
    words = {"security": "tls"}

    async def test_a_certificate_that_nobody_vouches_for(self) -> None:
        await self.refused(self.to("tls", trusted=False), "certificate verify failed")

    async def test_a_client_that_speaks_no_tls(self) -> None:
        await self.refused(self.to(timeout=QUICK), "mail server: ")
