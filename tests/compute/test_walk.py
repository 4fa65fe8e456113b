"""Random use of the cloud, then the books are checked: nothing lost or double."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.rebuilding import Rebuild
from snfd.compute.states import Footprint, State, usage
from snfd.errors import CloudError
from snfd.ganeti.model import Event, Outcome
from snfd.network.model import Filter, NewNetwork, NewPort, NewSubnet, NicRequest
from snfd.network.scope import Scope
from tests.compute.kit import IMAGE, compute_cloud

STEPS = 120
SEEDS = (1, 2, 3)


class WalkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        for cpu, ram in ((2, 128), (1, 192), (2, 256)):
            self.cloud.people.execute(
                "INSERT INTO compute.flavor (cpu, ram, disk, volume_type)"
                " SELECT %s, %s, 1, volume_type FROM compute.flavor WHERE id = %s",
                cpu, ram, self.cloud.flavor(),
            )  # fmt: skip

    def test_cyclades_83_84_the_books_balance(self) -> None:
        for seed in SEEDS:
            self.dice = random.Random(seed)
            self.settled: list[Outcome] = []
            for _ in range(STEPS):
                self.dice.choice(
                    (self.create, self.act, self.act, self.act, self.work, self.work,
                     self.again, self.foreign, self.network, self.port, self.unport)
                )()  # fmt: skip
                self.balance(f"seed {seed}")
        for server in self.servers():
            self.quietly(self.delete(server))
        while self.cloud.intents():
            self.cloud.work()
        self.balance("the end")
        left = {name for name in self.cloud.usage() if name.startswith("cyclades.")}
        self.assertLessEqual(left, {"cyclades.network.private"})
        self.assertEqual(0, self.cloud.pending())

    def quietly(self, work: Any) -> Any:
        """Its result; refusals are part of life."""
        failures: list[BaseException] = []

        async def whole() -> Any:
            try:
                return await work
            except CloudError as error:
                failures.append(error)
                return None

        return self.cloud.wait(whole())

    def servers(self) -> list[int]:
        rows = self.cloud.people.sql("SELECT id FROM compute.server WHERE NOT deleted")
        return [int(str(row[0])) for row in rows]

    def delete(self, server: int) -> Any:
        return self.cloud.compute.actions.delete(
            self.cloud.caller(), self.cloud.scope(), server
        )

    def create(self) -> None:
        if len(self.servers()) < 8:
            networks = self.cloud.wait(
                self.cloud.networks.networks.list(self.cloud.scope(), Filter())
            )
            some = [NicRequest(one.id) for one in networks[1:] if one.subnets]
            nics = some[:1] if self.dice.random() < 0.5 and some else None
            self.cloud.create(nics=nics)

    def act(self) -> None:
        found = self.servers()
        if not found:
            return
        server = self.dice.choice(found)
        actions, caller = self.cloud.compute.actions, self.cloud.caller()
        scope = self.cloud.scope()
        self.quietly(
            self.dice.choice(
                (
                    lambda: actions.start(caller, scope, server),
                    lambda: actions.stop(caller, scope, server),
                    lambda: actions.reboot(caller, scope, server, hard=True),
                    lambda: self.delete(server),
                    lambda: self.resize(server),
                    lambda: self.resize(server),
                    lambda: self.rebuild(server),
                )
            )()
        )

    def resize(self, server: int) -> Any:
        """To any of the sizes that a new server's disk goes with."""
        flavors = self.cloud.people.sql(
            "SELECT f.id FROM compute.flavor f WHERE disk = 1 AND public"
        )
        flavor = int(str(self.dice.choice(flavors)[0]))
        return self.cloud.compute.resizing.resize(
            self.cloud.caller(), self.cloud.scope(), server, flavor, running=True
        )

    def rebuild(self, server: int) -> Any:
        return self.cloud.compute.rebuilding.rebuild(
            self.cloud.caller(), self.cloud.scope(), server, Rebuild(IMAGE)
        )

    def work(self) -> None:
        waiting = self.cloud.intents()
        if waiting:
            fail = "bad luck" if self.dice.random() < 0.2 else ""
            if waiting[0].intent.kind.startswith("OP_NETWORK"):
                fail = ""
            outcome = self.cloud.outcome(waiting[0], fail)
            self.settled.append(outcome)
            self.cloud.settle(outcome)

    def again(self) -> None:
        """An outcome that was settled before comes once more, late."""
        if self.settled:
            self.cloud.settle(self.dice.choice(self.settled))

    def foreign(self) -> None:
        found = self.servers()
        if found and self.dice.random() < 0.3:
            event = self.dice.choice((Event.STARTED, Event.STOPPED, Event.CRASHED))
            self.cloud.ganeti.queue.last += 1
            job = self.cloud.ganeti.queue.last
            server = self.dice.choice(found)
            instance = self.cloud.instance(f"snf-{server}")
            if instance is None or self.dice.random() < 0.5:
                self.cloud.seen(server, event, job)
                return
            changed = evolve(instance, vcpus=self.dice.choice((1, 2, 3)))
            self.cloud.seen(server, Event.MODIFIED, job, instance=changed)

    def network(self) -> None:
        services, caller = self.cloud.networks, self.cloud.caller()
        scope = self.cloud.scope()
        made = self.quietly(services.networks.create(caller, scope, NewNetwork("n")))
        if made is not None:
            wanted = NewSubnet(made.id, "10.1.0.0/28")
            self.quietly(services.subnets.create(caller, scope, wanted))
        found = self.cloud.wait(services.networks.list(scope, Filter()))
        victim = self.dice.choice(found)
        self.quietly(services.networks.delete(caller, scope, victim.id))

    def port(self) -> None:
        found = self.servers()
        networks = self.cloud.wait(
            self.cloud.networks.networks.list(self.cloud.scope(), Filter())
        )
        new = NewPort(
            self.dice.choice(networks).id,
            server=self.dice.choice(found) if found else None,
        )
        caller, scope = self.cloud.caller(), self.cloud.scope()
        card = NicRequest(new.network)
        work: Any
        if new.server is not None and self.dice.random() < 0.7:
            work = self.cloud.compute.nics.connect(caller, scope, new, card)
        else:
            work = self.cloud.networks.ports.create(caller, scope, new, card)
        self.quietly(work)

    def unport(self) -> None:
        everything = Scope.project(self.cloud.caller("boss"), everything=True)
        found = self.cloud.wait(self.cloud.networks.ports.list(everything, Filter()))
        if not found:
            return
        port = self.dice.choice(found)
        caller, scope = self.cloud.caller(), self.cloud.scope()
        if port.server is not None:
            work = self.cloud.compute.nics.disconnect(caller, scope, port)
        else:
            work = self.cloud.networks.ports.delete(caller, scope, port.id)
        self.quietly(work)

    # ------------------------------------------------------------------ books

    def balance(self, when: str) -> None:
        used = self.cloud.people.sql(
            "SELECT subnet, addr FROM compute.ip_slot WHERE state = 'used' "
            "ORDER BY subnet, addr"
        )
        live = self.cloud.people.sql(
            "SELECT subnet, addr FROM compute.ip WHERE NOT deleted ORDER BY 1, 2"
        )
        self.assertEqual(used, live, when)
        prefixes = self.cloud.people.sql(
            "SELECT value FROM compute.pool_slot WHERE state = 'used' ORDER BY value"
        )
        networks = self.cloud.people.sql(
            "SELECT mac_prefix FROM compute.network WHERE kind = 'MAC_FILTERED' "
            "AND NOT deleted ORDER BY mac_prefix"
        )
        self.assertEqual(prefixes, networks, when)
        self.assertEqual(self.expected(), self.settled_usage(), when)

    def expected(self) -> dict[str, int]:
        """What servers and networks should hold, from their rows alone."""
        total: Counter[str] = Counter()
        rows: list[Any] = self.cloud.people.sql(
            "SELECT s.state, f.cpu, f.ram, coalesce((SELECT sum(size) FROM "
            "compute.volume v WHERE v.server = s.id AND NOT v.deleted), 0) "
            "FROM compute.server s JOIN compute.flavor f ON f.id = s.flavor"
        )
        for state, cpu, ram, disk in rows:
            total.update(usage(State(state), Footprint(cpu, ram, disk)))
        networks = self.cloud.people.sql(
            "SELECT count(*) FROM compute.network WHERE NOT public AND NOT deleted"
        )
        total["cyclades.network.private"] = int(str(networks[0][0]))
        return {name: amount for name, amount in total.items() if amount}

    def settled_usage(self) -> dict[str, int]:
        """What the holdings say, pending commissions left out."""
        rows: list[Any] = self.cloud.people.sql(
            "SELECT h.resource, h.usage_max - coalesce((SELECT sum(p.quantity) "
            "FROM quota.provision p WHERE p.resource = h.resource AND p.quantity > 0 "
            "AND p.user_id IS NULL), 0) FROM quota.holding h WHERE h.user_id IS NULL "
            "AND h.project_id = %s",
            self.cloud.project,
        )
        return {name: int(amount) for name, amount in rows if amount}
