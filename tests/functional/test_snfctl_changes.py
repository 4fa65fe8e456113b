"""``snfctl`` changes things on a real daemon, noun by noun."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.functional.daemon import PASSWORD, Client
from tests.functional.test_snfctl import SnfctlCase

DEFINITION = {
    "dns_zones": {
        "type": "dns",
        "component": "dns",
        "public": True,
        "prefix": "zones",
        "endpoints": [{"versionId": "v1", "publicURL": None}],
        "resources": {
            "zone": {
                "name": "dns.zone",
                "desc": "Zones",
                "service_type": "dns",
                "service_origin": "dns_zones",
            }
        },
    }
}


class ChangeCase(SnfctlCase):
    """With shorthands for what is asked often."""

    def audited(self, action: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ctl.json("audit", "list", "--action", action)
        return found

    def file(self, text: str) -> str:
        """A file that holds ``text``."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = Path(folder.name, "given")
        file.write_text(text)
        return str(file)

    def logs_in(self, name: str, password: str) -> bool:
        """Whether the password is good."""
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity}}
        got = Client(self.daemon.port).post("/identity/v3/auth/tokens", body)
        return got.status == 201


class UserTests(ChangeCase):
    """Users, groups, tokens, sessions."""

    def test_a_user_s_whole_life(self) -> None:
        ctl = self.ctl
        made = ctl.json("user", "add", "ann@example.org", "Ann", "Onym")
        self.assertTrue(self.logs_in("ann@example.org", made["password"]))
        self.assertEqual("root", self.audited("user.add")[0]["actor"])
        shown = ctl.json("user", "modify", made["uuid"], "--username", "ann")
        self.assertEqual(("ann", "active"), (shown["username"], shown["status"]))
        shown = ctl.json("user", "email", "ann", "ann@example.com")
        self.assertEqual("ann@example.com", shown["email"])
        ctl("user", "password", "ann", "--password-stdin", stdin="a new secret\n")
        self.assertFalse(self.logs_in("ann", made["password"]))
        self.assertTrue(self.logs_in("ann", "a new secret"))
        shown = ctl.json("user", "deactivate", "ann", "--reason", "on leave", "--yes")
        self.assertEqual(
            ("inactive", "on leave"), (shown["status"], shown["deactivated_reason"])
        )
        self.assertFalse(self.logs_in("ann", "a new secret"))
        self.assertIn("cannot be", self.fails(6, "user", "accept", "ann"))
        ctl("user", "activate", "ann")
        self.assertTrue(self.logs_in("ann", "a new secret"))
        shown = ctl.json("user", "close", "ann", "--yes")
        self.assertEqual("closed", shown["status"])
        self.fails(4, "user", "show", "ann")
        self.assertNotIn(
            made["uuid"], [one["uuid"] for one in ctl.json("user", "list")]
        )

    def test_who_waits_is_verified_accepted_rejected_or_removed(self) -> None:
        ctl = self.ctl
        for name in ("bob", "eve", "sue"):
            ctl("user", "add", f"{name}@example.org", name, "X", "--waiting")
        shown = ctl.json("user", "show", "bob@example.org")
        self.assertEqual("pending verification", shown["status"])
        ctl("user", "send-verification", "bob@example.org")
        letters = ctl.json("mail", "list", "--to", "bob@example.org")
        self.assertEqual("verify", letters[0]["kind"])
        ctl("user", "verify", "bob@example.org")
        ctl("user", "verify", "eve@example.org")
        waiting = ctl.json("user", "list", "--moderation", "pending")
        self.assertLessEqual(
            {"bob@example.org", "eve@example.org"}, {one["email"] for one in waiting}
        )
        shown = ctl.json("user", "accept", "bob@example.org")
        self.assertEqual("active", shown["status"])
        shown = ctl.json("user", "reject", "eve@example.org", "--reason", "who?")
        self.assertEqual(
            ("rejected", "who?"), (shown["status"], shown["rejected_reason"])
        )
        ctl("user", "remove", "sue@example.org", "--yes")
        self.fails(4, "user", "show", "sue@example.org")
        self.fails(6, "user", "remove", "bob@example.org", "--yes")

    def test_errors_are_the_cloud_s_and_have_a_status(self) -> None:
        self.assertIn(
            "already", self.fails(6, "user", "add", "demo@localhost", "D", "D")
        )
        self.assertIn("e-mail", self.fails(1, "user", "add", "nonsense", "N", "N"))
        self.assertIn("--yes", self.fails(2, "user", "close", "demo"))
        self.fails(1, "user", "groups", "demo", "--add", "no-such-group")

    def test_users_come_from_a_file(self) -> None:
        file = self.file(
            "email,first_name,last_name,groups\n"
            "c1@example.org,C,One,\n"
            "demo@localhost,D,Demo,\n"
            "c2@example.org,C,Two,default admin\n"
        )
        done = self.ctl.run("user", "import", file, "-o", "csv")
        self.assertEqual(8, done.status, done)
        rows = list(csv.DictReader(StringIO(done.out)))
        self.assertEqual(["2", "3", "4"], [one["line"] for one in rows])
        self.assertEqual([False, True, False], [bool(one["problem"]) for one in rows])
        self.assertTrue(self.logs_in("c1@example.org", rows[0]["password"]))
        shown = self.ctl.json("user", "show", "c2@example.org")
        self.assertIn("admin", shown["groups"])
        self.fails(2, "user", "import", self.file("name\nx\n"))
        self.fails(2, "user", "import", "/no/such/file")

    def test_groups_and_what_they_are_good_for(self) -> None:
        ctl = self.ctl
        ctl("group", "add", "printers")
        self.fails(6, "group", "add", "printers")
        self.fails(6, "group", "add", "helpdesk")
        shown = ctl.json("user", "groups", "alt", "--add", "helpdesk")
        self.assertIn("helpdesk", shown["groups"])
        helper = self.daemon.client("alt")
        self.assertEqual(200, helper.get("/admin/v1/users").status)
        got = helper.post("/admin/v1/users/demo/deactivate", {"reason": ""})
        self.assertEqual(403, got.status, got.body)
        shown = ctl.json("user", "groups", "alt", "--remove", "helpdesk")
        self.assertNotIn("helpdesk", shown["groups"])
        self.assertEqual(403, helper.get("/admin/v1/users").status)
        ctl("group", "remove", "printers", "--yes")
        self.fails(1, "group", "remove", "admin", "--yes")

    def test_tokens_are_made_and_ended(self) -> None:
        made = self.ctl.json("token", "create", "reader", "--label", "backup")
        client = Client(self.daemon.port, made["secret"])
        self.assertEqual(200, client.get("/account/v1.0/quotas").status)
        listed = self.ctl.json(
            "token", "list", "--user", "reader", "-f", "label=backup"
        )
        self.assertEqual([made["id"]], [one["id"] for one in listed])
        self.ctl("token", "revoke", "reader", made["id"])
        self.assertEqual(401, client.get("/account/v1.0/quotas").status)
        self.fails(4, "token", "revoke", "reader", made["id"])
        other = self.daemon.client("reader")
        ended = self.ctl.json("token", "revoke-all", "reader", "--yes")
        self.assertGreaterEqual(ended["ended"], 1)
        self.assertEqual(401, other.get("/account/v1.0/quotas").status)

    def test_sessions_are_seen_and_ended(self) -> None:
        browser = Client(self.daemon.port)
        body = {"username": "altreader", "password": PASSWORD}
        got = browser.post("/account/v1.0/login", body)
        self.assertEqual(200, got.status, got.body)
        cookie = {"Cookie": got.headers["set-cookie"].partition(";")[0]}
        (session,) = self.ctl.json("session", "list", "--user", "altreader")
        got = browser.get("/account/v1.0/session", headers=cookie)
        self.assertEqual(200, got.status, got.body)
        self.ctl("session", "end", "altreader", session["id"])
        got = browser.get("/account/v1.0/session", headers=cookie)
        self.assertEqual(401, got.status, got.body)

    def test_terms_are_issued_and_signed(self) -> None:
        file = self.file("Be *kind*.\n")
        words = ("--format", "markdown", "--grace", "86400", "--yes")
        made = self.ctl.json("terms", "add", file, *words)
        shown = self.ctl.json("terms", "show", str(made["id"]))
        self.assertEqual("Be *kind*.\n", shown["body"])
        self.assertEqual(made["id"], self.ctl.json("terms", "list")[0]["id"])
        self.ctl("user", "sign-terms", "demo")
        shown = self.ctl.json("user", "show", "demo")
        self.assertEqual(made["id"], shown["signed_terms"])


class ProjectTests(ChangeCase):
    """Projects, members, quotas, resources."""

    def test_a_project_s_whole_life(self) -> None:
        ctl = self.ctl
        made = ctl.json(
            "project", "create", "physics", "--owner", "demo", "--ends",
            "2099-01-01T00:00:00Z", "--limit", "cyclades.vm", "2", "20",
            "--limit", "cyclades.ram", "4G", "inf",
        )  # fmt: skip
        limits = {one["resource"]: one for one in made["limits"]}
        self.assertEqual(4 << 30, limits["cyclades.ram"]["member"])
        self.assertEqual("demo", made["owner"])
        self.fails(6, "project", "create", "physics")
        ctl("project", "member-add", "physics", "reader", "--role", "reader")
        members = ctl.json("project", "members", "physics")
        roles = {one["username"]: one["role"] for one in members}
        self.assertEqual({"demo": "member", "reader": "reader"}, roles)
        (row,) = ctl.json(
            "quota", "list", "--user", "demo", "--project", "physics",
            "--resource", "cyclades.vm",
        )  # fmt: skip
        self.assertEqual(2, row["limit"])
        ctl("user", "default-project", "reader", "physics")
        shown = ctl.json("user", "show", "reader")
        self.assertEqual(made["uuid"], shown["default_project"])
        ctl("project", "member-suspend", "physics", "reader", "--reason", "misuse")
        ctl("project", "member-unsuspend", "physics", "reader")
        ctl("project", "member-remove", "physics", "reader", "--reason", "over")
        words = ("project", "modify", "physics", "--limit", "cyclades.vm", "3", "30")
        shown = ctl.json(*words, "--description", "waves")
        limits = {one["resource"]: one for one in shown["limits"]}
        self.assertEqual(30, limits["cyclades.vm"]["project"])
        shown = ctl.json("project", "suspend", "physics", "--reason", "unpaid", "--yes")
        self.assertEqual("suspended", shown["state"])
        self.assertIn("unpaid", ctl("project", "show", "physics"))
        self.fails(6, "project", "suspend", "physics", "--yes")
        ctl("project", "unsuspend", "physics")
        ctl("project", "terminate", "physics", "--yes")
        shown = ctl.json("project", "reinstate", made["uuid"])
        self.assertEqual("active", shown["state"])
        self.assertEqual([], ctl.json("project", "expired"))
        ctl("project", "expire", "--yes")
        (first, *_) = self.audited("project.suspend")
        self.assertEqual(
            ("root", f"project:{made['uuid']}"), (first["actor"], first["target"])
        )

    def test_applications_are_decided(self) -> None:
        client = self.daemon.client("demo")
        wanted = {
            "name": "chem.example.org",
            "end_date": "2099-01-01T00:00:00+00:00",
            "resources": {},
        }
        got = client.post("/account/v1.0/projects", wanted)
        self.assertEqual(201, got.status, got.body)
        (row,) = self.ctl.json("project", "list", "--pending")
        self.assertEqual(got.json["application"], row["pending"])
        shown = self.ctl.json("project", "deny", row["uuid"], "--reason", "too vague")
        self.assertEqual("denied", shown["application"][0]["state"])
        got = client.put(f"/account/v1.0/projects/{row['uuid']}", wanted)
        self.assertEqual(201, got.status, got.body)
        shown = self.ctl.json("project", "approve", row["uuid"], "--reason", "welcome")
        self.assertEqual("active", shown["state"])
        self.fails(6, "project", "approve", "chem.example.org")
        self.fails(4, "project", "approve", "demo")

    def test_limits_of_everybody_and_of_those_to_come(self) -> None:
        ctl = self.ctl
        words = ("--limit", "cyclades.network.private", "7", "7", "--but", "alt")
        done = ctl.json("quota", "grant-all", *words, "--yes")
        self.assertGreater(done["changed"], 1)
        rows = ctl.json("quota", "list", "--resource", "cyclades.network.private")
        limits = {
            one["user"]: one["limit"]
            for one in rows
            if one["project"].startswith("system:")
        }
        self.assertEqual((7, 4), (limits["demo"], limits["alt"]))
        shown = ctl.json(
            "resource", "modify", "cyclades.floating_ip", "--system-default", "9"
        )
        self.assertEqual(9, shown["system_default"])
        made = ctl.json("user", "add", "late@example.org", "L", "Ate")
        (row,) = ctl.json(
            "quota",
            "list",
            "--user",
            made["uuid"],
            "--resource",
            "cyclades.floating_ip",
        )
        self.assertEqual(9, row["limit"])
        self.assertEqual(
            9, ctl.json("resource", "show", "cyclades.floating_ip")["system_default"]
        )

    def test_numbers_are_verified(self) -> None:
        self.assertEqual(
            [],
            self.ctl.json("quota", "verify")["items"]
            if False
            else json.loads(self.ctl("quota", "verify", "-o", "json")),
        )
        self.assertEqual("[]\n", self.ctl("quota", "reconcile", "-o", "json"))


class RegistryTests(ChangeCase):
    """Components, services, commissions; letters, figures, the doctor."""

    def test_a_component_its_services_and_commissions(self) -> None:
        ctl = self.ctl
        made = ctl.json(
            "component", "add", "dns", "--base-url", "https://dns.example.org"
        )
        done = ctl.json("service", "import", self.file(json.dumps(DEFINITION)))
        self.assertEqual(["dns_zones"], done["services"])
        self.assertEqual(["dns.zone"], done["resources"])
        told = ctl.json("service", "export", "dns")
        url = told["dns_zones"]["endpoints"][0]["publicURL"]
        self.assertEqual("https://dns.example.org/zones/v1", url)
        (row,) = ctl.json("service", "list", "--component", "dns")
        self.assertEqual([url], row["urls"])
        program = Client(self.daemon.port, made["token"])
        project = ctl.json("project", "show", "demo")["uuid"]
        ctl("project", "modify", "demo", "--limit", "dns.zone", "5", "5")
        user = ctl.json("user", "show", "demo")["uuid"]
        parts = [
            {"holder": f"user:{user}", "source": f"project:{project}",
             "resource": "dns.zone", "quantity": 1},
            {"holder": f"project:{project}", "source": None,
             "resource": "dns.zone", "quantity": 1},
        ]  # fmt: skip
        body = {"force": False, "auto_accept": False, "name": "x", "provisions": parts}
        serials = []
        for _ in range(3):
            got = program.post("/account/v1.0/commissions", body)
            self.assertEqual(201, got.status, got.body)
            serials.append(str(got.json["serial"]))
        shown = ctl.json("commission", "show", serials[0])
        self.assertEqual({"demo", None}, {one["user"] for one in shown["provisions"]})
        self.assertEqual(3, len(ctl.json("commission", "list", "--issuer", "dns")))
        ctl("commission", "accept", serials[0], "--yes")
        ctl("commission", "reject", serials[1], "--yes")
        self.fails(4, "commission", "accept", serials[0], "--yes")
        done = ctl.json("commission", "resolve", "--overdue", "0", "--yes")
        self.assertEqual([int(serials[2])], done["rejected"])
        log = ctl.json("commission", "log", "--user", "demo", "--issuer", "dns")
        self.assertEqual(
            [(serials[2], "rejected"), (serials[1], "rejected"),
             (serials[0], "accepted")],
            [(str(one["serial"]), one["outcome"]) for one in log],
        )  # fmt: skip
        (row,) = ctl.json(
            "quota",
            "list",
            "--user",
            "demo",
            "--resource",
            "dns.zone",
            "--project",
            "demo",
        )
        self.assertEqual((1, 0), (row["usage"], row["pending"]))
        ctl("component", "modify", "dns", "--ui-url", "https://dns.example.org/ui")
        renewed = ctl.json("component", "renew-token", "dns", "--yes")
        self.assertNotEqual(made["token"], renewed["token"])
        self.assertEqual(401, program.get("/account/v1.0/commissions").status)
        self.assertNotIn(renewed["token"], ctl("component", "show", "dns"))
        self.assertIn("dns", ctl("component", "list"))
        gone = ctl.json("component", "purge-services", "dns", "--yes")
        self.assertEqual(["dns_zones"], gone["removed"])
        ctl("component", "remove", "dns", "--yes")
        self.fails(4, "component", "show", "dns")

    def test_definitions_that_are_none(self) -> None:
        self.assertIn("no JSON", self.fails(2, "service", "import", self.file("{")))
        self.fails(1, "service", "import", self.file('{"x": 1}'))

    def test_letters_are_hurried_and_given_up(self) -> None:
        self.ctl("user", "add", "zoe@example.org", "Zoe", "X", "--waiting")
        self.ctl("user", "send-verification", "zoe@example.org")
        (letter,) = self.ctl.json("mail", "list", "--to", "zoe@example.org")
        self.ctl("mail", "retry", str(letter["id"]))
        words = ("--reason", "never mind", "--yes")
        self.ctl("mail", "give-up", str(letter["id"]), *words)
        (letter,) = self.ctl.json("mail", "list", "--to", "zoe@example.org")
        self.assertEqual("failed", letter["state"])
        self.fails(6, "mail", "retry", str(letter["id"]))
        done = self.ctl.run("doctor", "run")
        self.assertEqual(8, done.status, done)
        self.assertIn("letter-failed", done.out)

    def test_login_policies_and_oauth2_clients(self) -> None:
        ctl = self.ctl
        words = (
            "--policy",
            "limit=3",
            "--policy",
            "add_groups=default",
            "--user",
            "demo",
        )
        ctl("login-policy", "set", "some", "local", *words)
        (row,) = ctl.json("login-policy", "list")
        self.assertEqual({"limit": 3, "add_groups": ["default"]}, row["policies"])
        self.fails(2, "login-policy", "set", "some", "local", "--policy", "limit")
        self.fails(1, "login-policy", "set", "some", "local", "--policy", "shoe=3")
        ctl("login-policy", "remove", "some", "--yes")
        self.fails(4, "login-policy", "remove", "some", "--yes")
        back = "https://viewer.example.org/back"
        made = ctl.json("oauth2-client", "add", "viewer", "--redirect", back)
        self.assertTrue(made["secret"])
        (row,) = ctl.json("oauth2-client", "list")
        self.assertEqual(([back], False), (row["redirects"], row["public"]))
        self.fails(1, "oauth2-client", "add", "x", "--redirect", "nonsense")
        ctl("oauth2-client", "remove", "viewer", "--yes")

    def test_users_are_written_to(self) -> None:
        file = self.file("On Monday there will be a pause.\n")
        words = ("--subject", "A pause", "--user", "demo", "--user", "alt@localhost")
        self.ctl("user", "contact", file, *words)
        for to in ("demo@localhost", "alt@localhost"):
            (letter,) = self.ctl.json("mail", "list", "--to", to, "-f", "kind=contact")
            self.assertEqual("new", letter["state"])
        self.assertEqual(2, len(self.audited("user.contact")))
        self.fails(4, "user", "contact", file, "--subject", "x", "--user", "nobody")

    def test_figures(self) -> None:
        told = self.ctl.json("stats", "show")
        self.assertLessEqual(5, told["users"]["all"]["total"])
        self.assertIn("cyclades.vm", told["resources"]["local"])
        client = self.daemon.client("demo")
        got = client.get("/admin/stats")
        self.assertEqual({"users"}, set(got.json))
        self.assertEqual(403, client.get("/admin/stats/detail").status)
        admin = self.daemon.client("admin")
        self.assertEqual(200, admin.get("/admin/stats/detail").status)


class DoctorTests(ChangeCase):
    def test_a_fresh_cloud_is_well(self) -> None:
        self.assertEqual("[]\n", self.ctl("doctor", "run", "-o", "json"))
