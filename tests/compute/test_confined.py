"""Tokens that were made for one project alone, in compute and networks."""

from __future__ import annotations

from attrs import define, evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Forbidden, NotFound
from snfd.identity.model import Caller
from snfd.network.model import Filter, Kind, NewNetwork
from snfd.network.scope import Scope
from tests.api.memory import Browser
from tests.compute.http import HttpCloud
from tests.compute.kit import compute_cloud

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqoCBuMgXz3c9bV3vTZg0FPp1sX7sXoyLDMPyzE6Jy6"


@define(eq=False)
class ConfinedCloud(HttpCloud):
    """A cloud where ``name@project!`` is a token for that project alone."""

    async def authenticator(self, token: str | None) -> Caller:
        found = await super().authenticator((token or "").rstrip("!"))
        if not (token or "").endswith("!"):
            return found
        only = frozenset({found.project})
        return evolve(found, projects=only, confined=True)


class ConfinedTests(SynchronousTestCase):
    """demo has a server, a network and a key pair in demo, and a key for alt."""

    def setUp(self) -> None:
        self.cloud = ConfinedCloud(compute_cloud(self))
        self.parts = self.cloud.parts
        self.server = self.parts.active().id
        caller = self.caller("demo@demo")
        made = self.parts.wait(
            self.parts.networks.networks.create(
                caller, Scope.own(caller), NewNetwork("lan", Kind.MAC_FILTERED)
            )
        )
        self.network = made.id
        self.parts.wait(self.parts.compute.keypairs.create(caller, "laptop", KEY))

    def caller(self, token: str) -> Caller:
        found: Caller = self.parts.wait(self.cloud.authenticator(token))
        return found

    def own(self, token: str) -> list[Browser]:
        return [self.cloud.cyclades(token), self.cloud.nova(token)]

    def test_servers_of_other_projects_are_not_there(self) -> None:
        for browser in self.own("demo@alt!"):
            self.assertEqual([], browser.get("/servers").json["servers"])
            self.assertEqual(404, browser.get(f"/servers/{self.server}").status)
            self.assertEqual(404, browser.delete(f"/servers/{self.server}").status)
            told = browser.post(
                f"/servers/{self.server}/action", {"reboot": {"type": "HARD"}}
            )
            self.assertEqual(404, told.status)
        whole = self.cloud.cyclades("demo@alt").get("/servers").json["servers"]
        self.assertEqual([self.server], [one["id"] for one in whole])

    def test_networks_and_ports_of_other_projects_are_not_there(self) -> None:
        for token, seen in (("demo@alt!", False), ("demo@alt", True)):
            caller = self.caller(token)
            ports = self.parts.networks.ports.list(
                Scope.own(caller), Filter(server=self.server)
            )
            self.assertEqual(seen, bool(self.parts.wait(ports)))
            browser = self.cloud.cyclades_network(token)
            code = browser.get(f"/networks/{self.network}").status
            self.assertEqual(200 if seen else 404, code)
            listed = [one["id"] for one in browser.get("/networks").json["networks"]]
            self.assertEqual(seen, str(self.network) in listed)

    def test_its_own_project_is_there(self) -> None:
        for browser in self.own("demo@demo!"):
            self.assertEqual(200, browser.get(f"/servers/{self.server}").status)
        got = self.cloud.cyclades_network("demo@demo!").get(f"/networks/{self.network}")
        self.assertEqual(200, got.status)

    def test_nothing_is_made_in_other_projects(self) -> None:
        body = {
            "network": {
                "type": "MAC_FILTERED",
                "name": "x",
                "project": str(self.parts.project),
            }
        }
        told = self.cloud.cyclades_network("demo@alt!").post("/networks", body)
        self.assertEqual(400, told.status)

    def test_the_owners_key_pairs_are_not_there(self) -> None:
        keys = self.parts.compute.keypairs
        caller = self.caller("demo@demo!")
        self.assertEqual([], self.parts.wait(keys.list(caller)))
        self.parts.fails(keys.show(caller, "laptop"), NotFound)
        self.parts.fails(keys.delete(caller, "laptop"), NotFound)
        self.parts.wait(keys.create(caller, "ci", None))
        names = [one.name for one in self.parts.wait(keys.list(caller))]
        self.assertEqual(["ci"], names)
        self.assertEqual([], self.parts.wait(keys.list(self.caller("demo@alt!"))))
        whole = self.parts.wait(keys.list(self.caller("demo@alt")))
        self.assertEqual(["ci", "laptop"], [one.name for one in whole])

    def test_who_only_reads_writes_no_key_pair(self) -> None:
        keys = self.parts.compute.keypairs
        caller = evolve(self.caller("demo@demo!"), roles=frozenset({"reader"}))
        self.parts.fails(keys.create(caller, "ci", None), Forbidden)
        self.parts.fails(keys.delete(caller, "laptop"), Forbidden)

    def test_administrators_too_stay_in_the_project(self) -> None:
        browser = self.cloud.nova("boss@alt!")
        self.assertEqual(404, browser.get(f"/servers/{self.server}").status)
        self.assertNotEqual(200, browser.get("/servers?all_tenants=1").status)

    def test_a_console_ends_with_the_reach_of_its_token(self) -> None:
        caller = self.caller("demo@demo!")
        server, user = self.parts.project, caller.user
        self.assertTrue(self.cloud.tickets._may(caller, user, server))
        other = self.caller("demo@alt!")
        self.assertFalse(self.cloud.tickets._may(other, user, server))
