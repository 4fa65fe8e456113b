"""The helpdesk: what it finds, what is told of it, and what it cannot do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from api.admin.belongings import BelongingsApi, TokensApi
from api.admin.helpdesk import HelpdeskApi
from api.admin.lists import DirectoryApi, LedgerApi
from api.cookies import SESSION, named
from api.operations import operations_in
from snfd import tokens
from snfd.admin.helpdesk import Helpdesk
from snfd.admin.rights import RIGHTS, Right, staff
from snfd.audit import Actor
from snfd.errors import Forbidden
from snfd.logins.model import SESSION_MARK, csrf_of
from snfd.network.model import NicRequest
from tests.admin.servers_case import ServersCase


class HelpdeskCase(ServersCase):
    def apis(self) -> Sequence[object]:
        admin = self.services
        desk = Helpdesk.build(admin.db, admin.directory, admin.ledger)
        return [*super().apis(), HelpdeskApi(desk), DirectoryApi(admin.directory)]

    def find(self, query: str, who: str = "helper") -> set[tuple[str, str]]:
        found = self.get(f"/helpdesk/find?query={query}", who=who)["items"]
        return {(one["kind"], one["id"]) for one in found}


class FindTests(HelpdeskCase):
    """By uuid, e-mail, IPv4, IPv6, MAC, number and names (spec §9)."""

    def test_what_a_few_characters_may_mean(self) -> None:
        server = self.parts.active("Webmail", nics=[NicRequest()])
        (card,) = server.attachments
        address = card.addresses[0].addr
        self.people.execute(
            "UPDATE compute.port SET name = 'uplink' WHERE id = %s", card.port
        )
        this, demo = ("server", str(server.id)), ("user", str(self.uuid("demo")))
        project = ("project", str(self.uuid("project demo")))
        here, past = ("address", address), ("past address", address)
        volume = ("volume", str(server.volumes[0].id))
        job = self.get(f"/servers/{server.id}")["jobs"][0]["id"]
        network = self.people.sql(
            "SELECT name FROM compute.network WHERE id = %s", card.network
        )[0][0]
        for query, wanted in (
            (str(self.uuid("demo")), {demo}), ("demo@example.org", {demo}),
            ("DEMO@", {demo}), (f"vm-{server.id}", {this}), (f"vm{server.id}", {this}),
            (f"snf-{server.id}", {this}), (address, {here, past}),
            (card.mac, {("port", str(card.port))}),
            (card.mac.upper().replace(":", "-"), {("port", str(card.port))}),
            ("webm", {this}), ("upli", {("port", str(card.port))}),
            (str(network), {("network", str(card.network))}), ("demo", {demo, project}),
            (volume[1], {volume}), (job, {("job", job)}), ("fe80::1", set()),
            (str(uuid4()), set()), ("no%25body", set()),
        ):  # fmt: skip
            self.assertEqual(wanted, self.find(query), query)
        self.get("/helpdesk/find?query=%20", 400)
        self.get("/helpdesk/find?query=" + "x" * 256, 400)
        self.get("/helpdesk/find", 400)

    def test_a_number_may_be_a_name(self) -> None:
        self.parts.create("2030")
        self.assertEqual(1, len(self.find("2030")))

    def test_who_had_an_address_before(self) -> None:
        server = self.parts.active(nics=[NicRequest()])
        address = server.attachments[0].addresses[0].addr
        self.ask("DELETE", f"/servers/{server.id}", 202)
        self.parts.work()
        found = self.get(f"/helpdesk/find?query={address}")["items"]
        self.assertEqual(
            [("past address", "demo", server.id)] * 2,
            [(one["kind"], one["owner"], one["server"]) for one in found],
        )

    def test_ipv6(self) -> None:
        server = self.parts.active()
        port = server.attachments[0]
        self.people.execute(
            "INSERT INTO compute.ip (subnet, network, addr, port, owner, project)"
            " SELECT id, network, '2001:db8::7', %s, %s, %s FROM compute.subnet"
            " WHERE network = %s LIMIT 1",
            port.port, self.uuid("demo"), self.parts.project, port.network,
        )  # fmt: skip
        kinds = {kind for kind, _ in self.find("2001:DB8:0::7")}
        self.assertIn("address", kinds)
        self.assertEqual([server.id], self.ids("?address=2001:db8::0007"))


class AccountTests(HelpdeskCase):
    def test_an_overview_of_all_that_is_somebody_s(self) -> None:
        server = self.parts.active(password="a-Secret-9-word")
        shown = self.get("/helpdesk/accounts/demo@example.org", who="helper")
        self.assertEqual("demo", shown["username"])
        self.assertEqual([server.id], [one["id"] for one in shown["servers"]])
        self.assertLessEqual({"demo", "alt"}, {p["project"] for p in shown["projects"]})
        used = {q["resource"]: q["usage"] for q in shown["quotas"]
                if q["project"] == "demo"}  # fmt: skip
        self.assertEqual(1, used["cyclades.vm"])
        self.assertEqual([], shown["networks"])
        self.assertNotIn("a-Secret-9-word", str(shown))
        self.people.execute("UPDATE identity.login_method SET last_login_at = now()")
        chief = self.get("/helpdesk/accounts/chief", who="helper")
        self.assertIsNotNone(chief["logins"][0]["last_login"])
        self.get("/helpdesk/accounts/nobody", 404, who="helper")

    def test_whoever_looks_is_in_the_audit_trail(self) -> None:
        demo = self.uuid("demo")
        self.find("demo@example.org")
        self.get("/helpdesk/accounts/demo", who="helper")
        self.get("/helpdesk/accounts/demo", who="reader")
        self.get("/helpdesk/accounts/demo")
        self.get("/users/demo", who="helper")
        whose = f"user:{demo}"
        self.assertEqual(
            [
                ("helper", "helpdesk.find", "helpdesk"),
                ("helper", "helpdesk.account", whose),
                ("reader", "helpdesk.account", whose),
                ("chief", "helpdesk.account", whose),
            ],
            self.audited(),
        )
        looked = self.people.sql(
            "SELECT actor_name, target FROM ops.audit WHERE action = 'user.show'"
        )
        self.assertEqual([("helper", whose)], looked)
        details = self.people.sql(
            "SELECT details FROM ops.audit WHERE action = 'helpdesk.find'"
        )[0][0]
        assert isinstance(details, dict)
        self.assertEqual([str(demo)], details["users"])
        self.assertEqual("demo@example.org", details["query"])


class AttackTests(HelpdeskCase):
    """What somebody of the helpdesk, or who has his session, cannot do."""

    def apis(self) -> Sequence[object]:
        admin = self.services
        unused: Any = None
        return [
            *super().apis(),
            LedgerApi(admin.ledger),
            TokensApi(admin, unused),
            BelongingsApi(admin, unused, unused, unused),
        ]

    def test_nobody_else_is_let_in(self) -> None:
        self.people.user("mallory")
        self.tokens["mallory"] = self.people.login("mallory").secret
        for path in (
            "/helpdesk/find?query=demo",
            "/helpdesk/accounts/demo",
            "/servers",
        ):
            self.get(path, 403, "mallory")
            got = self.web.get(path, token="wrong")
            self.assertEqual(401, got.status)

    def test_cookies_need_the_csrf_token(self) -> None:
        ident, token = self.parts.active().id, self.tokens["helper"]
        secret = f"{SESSION_MARK}{token}"
        self.people.execute(
            "UPDATE identity.api_token SET hash = %s, kind = 'session' WHERE hash = %s",
            tokens.digest(secret), tokens.digest(token),
        )  # fmt: skip
        cookie = {"Cookie": f"{named(SESSION, False)}={secret}"}
        self.web.token = None
        self.assertEqual(401, self.web.post(f"/servers/{ident}/stop").status)
        path = f"/servers/{ident}/stop"
        self.assertEqual(403, self.web.post(path, headers=cookie).status)
        wrong = {**cookie, "X-CSRF-Token": "x" * 43}
        self.assertEqual(403, self.web.post(path, headers=wrong).status)
        self.assertEqual([], self.audited())
        good = {**cookie, "X-CSRF-Token": csrf_of(secret)}
        self.assertEqual(202, self.web.post(path, headers=good).status)

    def test_no_rights_and_no_tokens(self) -> None:
        helper = staff(Actor(None, "helper"), ["helpdesk"])
        self.assertEqual({Right.CONTACT, Right.SUPPORT}, RIGHTS["helpdesk"])
        for right in set(Right) - RIGHTS["helpdesk"]:
            self.assertRaises(Forbidden, helper.to, right)
        for user in ("helper", "chief", "demo"):
            self.post(f"/users/{user}/tokens", {}, 403, "helper")
            self.ask("DELETE", f"/users/{user}/tokens", 403, who="helper")
        self.ask(
            "PUT", "/users/demo/default-project", 403, {"project": "demo"}, "helper"
        )

    def test_no_answer_holds_a_token_a_password_or_a_key(self) -> None:
        server = self.parts.active(password="a-Secret-9-word").id
        secrets = [*self.tokens.values(), "a-Secret-9-word", "argon2"]
        for path in (
            "/users", "/users/chief", "/tokens", "/sessions", "/servers",
            f"/servers/{server}", "/helpdesk/accounts/chief", "/quotas",
            "/helpdesk/find?query=chief", "/helpdesk/accounts/demo",
        ):  # fmt: skip
            text = str(self.get(path, who="helper"))
            for secret in secrets:
                self.assertNotIn(secret, text, path)

    def test_no_operation_is_about_consoles_or_passwords_of_servers(self) -> None:
        for api in self.apis():
            for one, _ in operations_in(type(api)):
                if one.path.startswith(("/servers", "/helpdesk")):
                    self.assertIsNone(re.search("console|password", one.path))
