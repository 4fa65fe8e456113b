"""``kill -9`` at the worst moments: nothing is lost and nothing is doubled."""

from __future__ import annotations

import http.client
import os
import random
import time
import unittest
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.functional.daemon import Client, Daemon, eventually, running
from tests.functional.evidence import complaints, imbalance, rows
from tests.functional.lab import on_ganeti
from tests.lab import ganeti as real

POINTS = (
    "before-commit",
    "after-commit",
    "during-submit",
    "after-submit",
    "while-settling",
)
ROUNDS = 10
SERVERS = 20


def listed(client: Client) -> dict[str, dict[str, Any]]:
    """The project's servers by name."""
    got = client.get("/os/compute/v2.1/servers/detail")
    assert got.status == 200, (got.status, got.body)
    servers = got.json["servers"]
    names = {one["name"]: one for one in servers}
    assert len(names) == len(servers), "a server was made twice"
    return names


def usage(client: Client) -> dict[str, int]:
    """What the quota of the token's project says is used."""
    got = client.get("/account/v1.0/quotas")
    assert got.status == 200, (got.status, got.body)
    return {
        name: values["project_usage"]
        for name, values in got.json[client.project].items()
    }


def expected(
    servers: int, cpu: int = 1, ram: int = 128, disk: int = 1
) -> dict[str, int]:
    """What so many running servers of the smallest flavor use."""
    return {
        "cyclades.vm": servers,
        "cyclades.cpu": servers * cpu,
        "cyclades.ram": servers * ram << 20,
        "cyclades.disk": servers * disk << 30,
    }


def image_and_flavor(client: Client) -> tuple[str, str]:
    """Ids of the demo image and the smallest flavor."""
    images = client.get("/os/image/v2/images").json["images"]
    flavors = client.get("/os/compute/v2.1/flavors/detail").json["flavors"]
    smallest = min(flavors, key=lambda one: (one["ram"], one["disk"]))
    assert (smallest["vcpus"], smallest["ram"], smallest["disk"]) == (1, 128, 1)
    return images[0]["id"], smallest["id"]


def create(client: Client, name: str, image: str, flavor: str) -> bool:
    """Ask for a server; False where the daemon died under the request."""
    try:
        got = client.post(
            "/os/compute/v2.1/servers",
            {"server": {"name": name, "imageRef": image, "flavorRef": flavor}},
            timeout=30,
        )
    except (OSError, http.client.HTTPException):
        return False
    assert got.status == 202, (got.status, got.body)
    return True


def drawn(seed: int) -> list[tuple[str, int]]:
    """Where to kill in each round: a point, and at its how-manieth passage.

    Each point has the same share of the rounds. The daemon settles two jobs
    for the network of the first server, besides those of the servers.
    """
    dice = random.Random(seed)
    points = list(POINTS) * (ROUNDS // len(POINTS))
    dice.shuffle(points)
    return [(point, dice.randint(1, SERVERS)) for point in points]


@pytest.mark.rig("pocket")
class KillTests(unittest.TestCase):
    """Ten rounds of twenty creates, a kill in each at one of five points."""

    patience = 60.0

    @contextmanager
    def started(self) -> Iterator[Daemon]:
        """The daemon to kill."""
        with running() as daemon:
            yield daemon

    def instances(self, daemon: Daemon) -> Collection[str]:
        """The cluster's own list, over RAPI."""
        return [one["id"] for one in daemon.rapi("GET", "/2/instances")]

    @pytest.mark.timeout(2400)
    def test_cyclades_29_killed_while_creating(self) -> None:
        seed = int(os.environ.get("SNFD_TEST_SEED", random.randrange(2**32)))
        print(f"SNFD_TEST_SEED={seed}")
        with self.started() as daemon:
            for number, (point, count) in enumerate(drawn(seed)):
                print(f"round {number}: {point} at passage {count}")
                self.killed(daemon, number, f"{point}:{count}")
                client = daemon.start().client()
                self.all_there(daemon, client, number)
                self.remove_all(daemon, client)
            daemon.stop()
            self.assertEqual([], complaints(daemon))

    def killed(self, daemon: Daemon, number: int, where: str) -> None:
        """Twenty requests at once, and the end of the daemon somewhere in them."""
        daemon.stop()
        daemon.environment["SNFD_TEST_CRASH"] = where
        client = daemon.start().client()
        image, flavor = image_and_flavor(client)
        with ThreadPoolExecutor(SERVERS) as threads:
            self.accepted = dict(
                threads.map(
                    lambda name: (name, create(client, name, image, flavor)),
                    self.names(number),
                )
            )
        assert daemon.process is not None
        self.assertEqual(-9, daemon.process.wait(60), f"{where} was never passed")
        del daemon.environment["SNFD_TEST_CRASH"]

    def names(self, number: int) -> list[str]:
        return [f"r{number}-{index}" for index in range(SERVERS)]

    def all_there(self, daemon: Daemon, client: Client, number: int) -> None:
        """What was accepted is there; what was not is asked for again."""
        image, flavor = image_and_flavor(client)
        found = listed(client)
        for name, accepted in self.accepted.items():
            if name not in found:
                self.assertFalse(accepted, f"{name} was accepted, and is lost")
                self.assertTrue(create(client, name, image, flavor))
        eventually(
            lambda: all(one["status"] != "BUILD" for one in listed(client).values()),
            self.patience,
        )
        found = listed(client)
        self.assertEqual(set(self.names(number)), set(found))
        wrong = [one for one in found.values() if one["status"] != "ACTIVE"]
        self.assertEqual([], [(one["status"], one.get("fault")) for one in wrong])
        wanted = sorted(f"snf-{one['id']}" for one in found.values())
        self.assertEqual(wanted, sorted(self.instances(daemon)))
        self.books(daemon, client, SERVERS)

    def books(self, daemon: Daemon, client: Client, servers: int) -> None:
        used = usage(client)
        self.assertEqual(expected(servers), {k: used[k] for k in expected(0)})
        self.assertEqual([], imbalance(daemon))
        [[commissions]] = rows(daemon, "SELECT count(*) FROM quota.commission")
        self.assertEqual(0, commissions)

    def remove_all(self, daemon: Daemon, client: Client) -> None:
        for one in listed(client).values():
            got = client.delete(f"/os/compute/v2.1/servers/{one['id']}")
            self.assertEqual(204, got.status, got.body)
        eventually(lambda: not listed(client), self.patience)
        self.assertEqual([], list(self.instances(daemon)))
        self.books(daemon, client, 0)


@pytest.mark.rig("pocket")
class KillWhileActingTests(unittest.TestCase):
    """Stops, reboots and deletes under a kill: each is done once or not at all."""

    servers = 12

    @pytest.mark.timeout(400)
    def test_killed_while_stopping_rebooting_and_deleting(self) -> None:
        seed = int(os.environ.get("SNFD_TEST_SEED", random.randrange(2**32)))
        print(f"SNFD_TEST_SEED={seed}")
        dice = random.Random(seed)
        with running() as daemon:
            for number, point in enumerate(POINTS[2:]):
                where = f"{point}:{dice.randint(1, self.servers)}"
                print(f"round {number}: {where}")
                self.one_round(daemon, number, where)
            daemon.stop()
            self.assertEqual([], complaints(daemon))

    def one_round(self, daemon: Daemon, number: int, where: str) -> None:
        client = daemon.client()
        image, flavor = image_and_flavor(client)
        names = [f"r{number}-{index}" for index in range(self.servers)]
        for name in names:
            self.assertTrue(create(client, name, image, flavor))
        self.until(client, dict.fromkeys(names, "ACTIVE"))
        found = listed(client)
        daemon.stop()
        daemon.environment["SNFD_TEST_CRASH"] = where
        client = daemon.start().client()
        with ThreadPoolExecutor(self.servers) as threads:
            done = list(
                threads.map(
                    lambda name: self.act(client, name, found[name]["id"]), names
                )
            )
        assert daemon.process is not None
        self.assertEqual(-9, daemon.process.wait(60), f"{where} was never passed")
        del daemon.environment["SNFD_TEST_CRASH"]
        client = daemon.start().client()
        for name, accepted in zip(names, done, strict=True):
            if not accepted:
                self.again(client, name, found[name]["id"])
        self.until(client, {name: self.end(name) for name in names})
        self.books(daemon, client)
        for one in listed(client).values():
            self.assertTrue(self.delete(client, one["id"]))
        self.until(client, dict.fromkeys(names))
        self.books(daemon, client)

    def end(self, name: str) -> str | None:
        """What becomes of a server: every third is stopped, rebooted, deleted."""
        return ("SHUTOFF", "ACTIVE", None)[int(name.partition("-")[2]) % 3]

    def act(self, client: Client, name: str, ident: str) -> bool:
        """Whether it was accepted; False where the daemon died under the request."""
        match self.end(name):
            case None:
                return self.delete(client, ident)
            case "SHUTOFF":
                body: dict[str, object] = {"os-stop": None}
            case _:
                body = {"reboot": {"type": "HARD"}}
        try:
            path = f"/os/compute/v2.1/servers/{ident}/action"
            got = client.post(path, body, timeout=30)
        except (OSError, http.client.HTTPException):
            return False
        self.assertEqual(202, got.status, got.body)
        return True

    def delete(self, client: Client, ident: str) -> bool:
        try:
            got = client.delete(f"/os/compute/v2.1/servers/{ident}", timeout=30)
        except (OSError, http.client.HTTPException):
            return False
        self.assertEqual(204, got.status, got.body)
        return True

    def again(self, client: Client, name: str, ident: str) -> None:
        """Ask for what may or may not have been accepted."""
        if self.end(name) is None:
            client.delete(f"/os/compute/v2.1/servers/{ident}")
        elif self.end(name) == "SHUTOFF":
            path = f"/os/compute/v2.1/servers/{ident}/action"
            got = client.post(path, {"os-stop": None})
            self.assertIn(got.status, (202, 409), got.body)

    def until(self, client: Client, wanted: Mapping[str, str | None]) -> None:
        """Wait until all are in these states, and none is at anything."""

        def there() -> bool:
            found = listed(client)
            return all(
                (found[name]["status"] if name in found else None) == state
                for name, state in wanted.items()
            ) and not any(one["OS-EXT-STS:task_state"] for one in found.values())

        eventually(there)

    def books(self, daemon: Daemon, client: Client) -> None:
        self.assertEqual([], imbalance(daemon))
        for table in ("quota.commission", "quota.provision"):
            self.assertEqual([(0,)], rows(daemon, f"SELECT count(*) FROM {table}"))
        sql = "SELECT count(*) FROM ops.outbox WHERE finished IS NULL"
        eventually(lambda: rows(daemon, sql) == [(0,)])
        found = {f"snf-{one['id']}": one["status"] for one in listed(client).values()}
        instances = daemon.rapi("GET", "/2/instances?bulk=1")
        runs = {one["name"]: one["oper_state"] for one in instances}
        self.assertEqual({k: v == "ACTIVE" for k, v in found.items()}, runs)


@pytest.mark.rig("pocket")
class KillWhileFetchingTests(unittest.TestCase):
    """The daemon dies while the cluster fetches images from it."""

    servers = 8

    @pytest.mark.timeout(300)
    def test_killed_while_images_are_fetched(self) -> None:
        seed = int(os.environ.get("SNFD_TEST_SEED", random.randrange(2**32)))
        print(f"SNFD_TEST_SEED={seed}")
        dice = random.Random(seed)
        with running(None, SNFD_POCKET_HYPERVISOR="screen") as daemon:
            for number in range(3):
                client = daemon.client()
                image, flavor = image_and_flavor(client)
                for index in range(self.servers):
                    name = f"r{number}-{index}"
                    self.assertTrue(create(client, name, image, flavor))
                time.sleep(dice.uniform(0, 0.8))
                daemon.kill()
                time.sleep(1)
                client = daemon.start().client()
                self.all_made(client)
                self.assertEqual([], imbalance(daemon))
                for one in listed(client).values():
                    client.delete(f"/os/compute/v2.1/servers/{one['id']}")
                eventually(lambda client=client: not listed(client))  # type: ignore[misc]
            daemon.stop()
            self.assertEqual([], complaints(daemon))

    def all_made(self, client: Client) -> None:
        eventually(
            lambda: all(one["status"] != "BUILD" for one in listed(client).values()), 90
        )
        found = listed(client).values()
        wrong = [one for one in found if one["status"] != "ACTIVE"]
        self.assertEqual([], [(one["status"], one.get("fault")) for one in wrong])
        self.assertEqual(self.servers, len(found))


@pytest.mark.long
@pytest.mark.xdist_group("ganeti")
@pytest.mark.rig("ganeti")
class RealKillTests(KillTests):
    """The same on Ganeti 3.0.2, whose machines the fake hypervisor runs.

    Long because a real cluster takes a second and more for each job, and there
    are four hundred of them.
    """

    patience = 180.0
    lab: real.Lab

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = real.start(bridges="br0")
        cls.addClassCleanup(cls.lab.stop)

    @contextmanager
    def started(self) -> Iterator[Daemon]:
        with on_ganeti(self.lab) as daemon:
            yield daemon

    def instances(self, daemon: Daemon) -> Collection[str]:
        return self.lab.run(
            "gnt-instance", "list", "--no-headers", "-o", "name"
        ).split()
