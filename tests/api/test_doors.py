"""Forms that make work for others, of each address a few at a time."""

from __future__ import annotations

from ipaddress import ip_address

from twisted.trial.unittest import SynchronousTestCase

from api.addresses import Peers
from api.doors import Door
from api.synnefo import account
from api.synnefo.account import own
from snfd.identity.allowance import Allowance
from tests.accounts.apis import AccountApis
from tests.api.memory import Browser, Response

MOST = 5
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


class DoorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = AccountApis(self)
        cloud = self.apis.cloud
        # the browsers in memory come from the one proxy that is believed
        peers = Peers.of(["0.0.0.0/0"])
        door = Door(peers, Allowance(cloud.db, cloud.clock, "forms", MOST))
        known, accounts = cloud.authenticator, self.apis.people.accounts
        self.web = Browser(
            account.resource(
                known,
                *own.apis(accounts, known, known.signer, door),
                components=cloud.components,
            )
        )

    def ask(
        self, path: str, body: object, at: str = HERE, token: str | None = None
    ) -> Response:
        headers = {"X-Forwarded-For": at}
        return self.web.post(path, body, headers=headers, token=token)

    def spend(self, at: str = HERE) -> None:
        for number in range(MOST):
            body = {"email": f"{number}@example.org"}
            self.assertEqual(202, self.ask("/password/reset", body, at).status)

    def test_too_many_are_told_when_to_come_back(self) -> None:
        self.spend()
        person = {"first_name": "A", "last_name": "B", "password": "secret"}
        for path, body in (
            ("/signup", {"email": "a@example.org", **person}),
            ("/signup/resend", {"email": "a@example.org"}),
            ("/password/reset", {"email": "a@example.org"}),
            ("/password/reset/confirm", {"key": "k", "password": "secret"}),
        ):
            answer = self.ask(path, body)
            self.assertEqual(429, answer.status, path)
            self.assertLessEqual(1, int(answer.headers["retry-after"]))
        self.apis.cloud.clock.advance(61)
        body = {"email": "a@example.org"}
        self.assertEqual(202, self.ask("/signup/resend", body).status)

    def test_a_new_address_is_a_letter_too(self) -> None:
        self.apis.people.member("ann")
        token = self.apis.token("ann")
        self.spend()
        body = {"email": "new@example.org", "password": "secret"}
        self.assertEqual(429, self.ask("/email", body, token=token).status)
        self.assertEqual(202, self.ask("/email", body, ELSEWHERE, token).status)

    def test_other_addresses_are_others(self) -> None:
        self.spend()
        body = {"email": "a@example.org"}
        self.assertEqual(202, self.ask("/password/reset", body, ELSEWHERE).status)

    def test_all_of_one_customer_is_one_address(self) -> None:
        first = int(ip_address("2001:db8::1"))
        for number in range(MOST):
            self.ask(
                "/signup/resend", {"email": "a@b.c"}, str(ip_address(first + number))
            )
        body = {"email": "a@b.c"}
        told = self.ask("/signup/resend", body, "2001:db8::ffff")
        self.assertEqual(429, told.status)

    def test_the_trail_says_where_strangers_come_from(self) -> None:
        self.apis.people.member("ann")
        person = {"first_name": "A", "last_name": "B", "password": "secret"}
        for email in ("ann@example.org", "bob@example.org"):
            self.ask("/signup", {"email": email, **person})
        self.ask("/password/reset", {"email": "ann@example.org"})
        rows = self.apis.cloud.sql(
            "SELECT action FROM ops.audit WHERE details->>'address' = %s ORDER BY id",
            HERE,
        )
        told = ["user.open.refused", "user.open", "user.reset.asked"]
        self.assertEqual(told, [row[0] for row in rows])
