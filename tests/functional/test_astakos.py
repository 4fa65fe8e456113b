"""Checks of the specification from outside: one daemon, HTTP, ``snfctl`` and SMTP.

Those whose other tests know the services behind the API. Source: ``spec/astakos.md``
§11.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any

import pytest

from tests.functional.daemon import PASSWORD, Client, Daemon, eventually, running
from tests.functional.snfctl import Snfctl
from tests.functional.test_accounts import text
from tests.lab.ports import free_port
from tests.lab.smtp import SmtpServer

A1, I2, I3 = "/account/v1.0", "/identity/v2.0", "/identity/v3"
COMPUTE = "/os/compute/v2.1"
THING = "things.thing"
END = "2099-01-01"
SERVICE = {
    "things_api": {
        "type": "things",
        "component": "things",
        "prefix": "things",
        "public": True,
        "endpoints": [{"versionId": "v1", "publicURL": None}],
        "resources": {
            "thing": {
                "name": THING,
                "service_type": "things",
                "service_origin": "things_api",
                "api_visible": True,
                "ui_visible": True,
            }
        },
    }
}


@pytest.mark.rig("pocket")
@pytest.mark.timeout(300)
class SpecificationTests(unittest.TestCase):
    """A program ``things`` that charges, users of the seeds, and newcomers."""

    daemon: Daemon
    server: SmtpServer
    ctl: Snfctl
    web: Client
    demo: Client
    admin: Client
    program: Client

    @classmethod
    def setUpClass(cls) -> None:
        folder = Path(tempfile.mkdtemp(prefix="snfd-mail-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.server = SmtpServer(folder, free_port()).start()
        cls.addClassCleanup(cls.server.stop)
        cls.daemon = cls.enterClassContext(
            running(
                SNFD_MAIL_SERVER="127.0.0.1",
                SNFD_MAIL_PORT=str(cls.server.port),
                SNFD_MAIL_SECURITY="none",
                SNFD_MAIL_HELPDESK="staff@example.org",
                SNFD_IDENTITY_ACCEPT=r".*@accepted\.example$",
            )
        )
        cls.ctl = Snfctl(cls.daemon.var)
        cls.web = Client(cls.daemon.port)
        cls.demo, cls.admin = cls.daemon.client(), cls.daemon.client("admin")
        address = ("--base-url", "https://things.example.org")
        made = cls.ctl.json("component", "add", "things", *address)
        cls.ctl("service", "import", "-", stdin=json.dumps(SERVICE))
        cls.program = Client(cls.daemon.port, made["token"])

    def ask(
        self, client: Client, path: str, body: object, status: int = 200, **more: Any
    ) -> Any:
        """The answer to a POST, which has this status."""
        got = client.post(path, body, **more)
        self.assertEqual(status, got.status, (path, body, got.body))
        return got.json if got.body else None

    def told(self, client: Client, path: str, status: int = 200) -> Any:
        """The answer to a GET."""
        got = client.get(path)
        self.assertEqual(status, got.status, (path, got.body))
        return got.json

    def act(self, project: str, what: str, status: int = 200, **more: Any) -> None:
        """What an administrator does to a project."""
        path = f"{A1}/projects/{project}/action"
        self.ask(self.admin, path, {what: more}, status)

    def project(self, owner: Client, name: str, **more: Any) -> str:
        """Applied for by ``owner``, and approved."""
        body = {"name": name, "end_date": END, **more}
        made = self.ask(owner, f"{A1}/projects", body, 201)
        self.act(made["id"], "approve", app_id=made["application"])
        ident: str = made["id"]
        return ident

    def state(self, project: str) -> str:
        state: str = self.told(self.admin, f"{A1}/projects/{project}")["state"]
        return state

    def commission(self, user: str, project: str, quantity: int, status: int) -> None:
        """Charge a member and his project."""
        part = {"resource": THING, "quantity": quantity}
        holder, source = f"user:{user}", f"project:{project}"
        parts = [
            {**part, "holder": holder, "source": source},
            {**part, "holder": source, "source": None},
        ]
        body = {"auto_accept": True, "provisions": parts}
        self.ask(self.program, f"{A1}/commissions", body, status)

    def things(self, client: Client, project: str) -> tuple[int, int, int, int]:
        """Usage and limit of a member, and of his whole project."""
        one = self.told(client, f"{A1}/quotas")[project][THING]
        names = ("usage", "limit", "project_usage", "project_limit")
        return tuple(one[name] for name in names)

    def letter(self, to: str, word: str) -> str:
        """The text of the one letter to somebody that has ``word`` in it."""

        def look() -> list[str]:
            taken = (one for one in self.server.taken() if to in one["to"])
            return [found for one in taken if word in (found := text(one["data"]))]

        (found,) = eventually(look, 60)
        return found

    def log_in(self, email: str, password: str = PASSWORD) -> Client | None:
        """Somebody by his password; None where it is not taken."""
        secret = {"username": email, "password": password}
        body = {"auth": {"passwordCredentials": secret}}
        got = self.web.post(f"{I2}/tokens", body)
        if got.status == 401:
            return None
        self.assertEqual(200, got.status, got.body)
        access = got.json["access"]
        port, token = self.daemon.port, access["token"]["id"]
        return Client(port, token, user=access["user"]["id"])

    def newcomer(self, email: str) -> str:
        """Somebody signs up and has a letter; the code in it."""
        form = {"email": email, "password": PASSWORD, "first_name": "A",
                "last_name": "B"}  # fmt: skip
        self.ask(self.web, f"{A1}/signup", form, 202)
        link = r"/ui/activate\?auth=([\w-]+)"
        found = re.search(link, self.letter(email, "/ui/activate"))
        assert found
        return found[1]

    def test_astakos_54_suspended_and_terminated(self) -> None:
        limits = {THING: {"project_capacity": 10, "member_capacity": 4}}
        project = self.project(self.demo, "p54.example.org", resources=limits)
        self.commission(self.demo.user, project, 1, 201)
        self.assertEqual((1, 4, 1, 10), self.things(self.demo, project))
        self.act(project, "suspend", reason="late")
        self.assertEqual((1, 0, 1, 0), self.things(self.demo, project))
        self.commission(self.demo.user, project, 1, 413)
        self.commission(self.demo.user, project, -1, 201)
        self.letter("demo@localhost", "> late")
        self.act(project, "unsuspend")
        self.assertEqual((0, 4, 0, 10), self.things(self.demo, project))
        self.commission(self.demo.user, project, 4, 201)
        self.act(project, "terminate")
        self.assertEqual("terminated", self.state(project))
        self.commission(self.demo.user, project, 1, 413)
        self.act(self.demo.user, "terminate", 409)

    def test_astakos_59_an_address_that_is_verified_opens_no_second_account(
        self,
    ) -> None:
        form = {"email": "ALT@localhost", "password": "of-somebody-else",
                "first_name": "A", "last_name": "B"}  # fmt: skip
        self.ask(self.web, f"{A1}/signup", form, 202)
        self.letter("alt@localhost", "perhaps you")
        found = self.ctl.json("user", "list", "--search", "alt@localhost")
        self.assertEqual(["alt"], [one["username"] for one in found])
        self.assertIsNone(self.log_in("alt@localhost", "of-somebody-else"))
        self.assertIsNotNone(self.log_in("alt@localhost"))

    def test_astakos_60_a_link_works_once_and_somebody_must_accept(self) -> None:
        email = "ann@example.org"
        code = self.newcomer(email)
        self.assertIsNone(self.log_in(email))
        self.ask(self.web, f"{A1}/signup/verify", {"auth": code})
        self.ask(self.web, f"{A1}/signup/verify", {"auth": code}, 404)
        self.assertIsNone(self.log_in(email))
        self.assertIn(email, self.letter("staff@example.org", email))
        self.ctl("user", "accept", email)
        self.letter(email, "accepted")
        ann = self.log_in(email)
        assert ann is not None
        resources = self.told(self.web, f"{A1}/resources")
        quotas = self.told(ann, f"{A1}/quotas")
        self.assertEqual(
            {ann.user: set(resources)}, {k: set(quotas[k]) for k in quotas}
        )

    def test_astakos_61_an_address_that_matches_is_accepted_at_once(self) -> None:
        email = "bob@accepted.example"
        code = self.newcomer(email)
        self.ask(self.web, f"{A1}/signup/verify", {"auth": code})
        self.assertIsNotNone(self.log_in(email))
        self.assertEqual("email", self.ctl.json("user", "show", email)["accepted_by"])

    def test_astakos_62_deactivation_suspends_what_one_owns(self) -> None:
        email = "cid@example.org"
        self.ctl("user", "add", email, "Cid", "P", "--password-stdin", stdin=PASSWORD)
        cid = self.log_in(email)
        assert cid is not None
        mine = self.project(cid, "mine62.example.org")
        held = self.project(cid, "held62.example.org")
        self.act(held, "suspend", reason="unpaid")
        self.ctl("user", "deactivate", email, "--reason", "left", "--yes")
        self.assertEqual(401, cid.get(f"{A1}/quotas").status)
        self.assertIsNone(self.log_in(email))
        states = [self.state(one) for one in (mine, held, cid.user)]
        self.assertEqual(["suspended"] * 3, states)
        self.ctl("user", "activate", email)
        states = [self.state(one) for one in (mine, held, cid.user)]
        self.assertEqual(["active", "suspended", "active"], states)
        self.assertEqual(401, cid.get(f"{A1}/quotas").status)
        self.assertIsNotNone(self.log_in(email))

    def test_astakos_72_a_token_for_another_project_makes_servers_there(self) -> None:
        identity = {"methods": ["token"], "token": {"id": self.demo.token}}
        scope = {"project": {"id": self.demo.user}}
        auth = {"auth": {"identity": identity, "scope": scope}}
        got = self.web.post(f"{I3}/auth/tokens", auth)
        self.assertEqual(201, got.status, got.body)
        own = Client(self.daemon.port, got.headers["x-subject-token"])
        flavor = self.told(own, f"{COMPUTE}/flavors")["flavors"][0]["id"]
        image = self.told(own, "/os/image/v2/images")["images"][0]["id"]
        wanted = {"name": "x", "flavorRef": flavor, "imageRef": image}
        made = self.ask(own, f"{COMPUTE}/servers", {"server": wanted}, 202)
        path = f"{COMPUTE}/servers/{made['server']['id']}"
        self.assertEqual(self.demo.user, self.told(own, path)["server"]["tenant_id"])
        self.told(self.demo, path, 404)
        self.assertEqual(204, own.delete(path).status)
