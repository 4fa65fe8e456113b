"""``kill -9`` at the worst moments: nothing is lost and nothing is doubled."""

from __future__ import annotations

import http.client
import os
import random
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.functional.daemon import Client, Daemon, eventually, running

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
        "cyclades.total_cpu": servers * cpu,
        "cyclades.ram": servers * ram << 20,
        "cyclades.total_ram": servers * ram << 20,
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


@pytest.mark.xdist_group("daemon")
class KillTests(unittest.TestCase):
    """Ten rounds of twenty creates, a kill in each at one of five points."""

    @pytest.mark.rig("pocket")
    @pytest.mark.timeout(600)
    def test_cyclades_29_killed_while_creating(self) -> None:
        seed = int(os.environ.get("SNFD_TEST_SEED", random.randrange(2**32)))
        print(f"seed {seed}")
        dice = random.Random(seed)
        rounds = list(POINTS) * (ROUNDS // len(POINTS))
        dice.shuffle(rounds)
        with running() as daemon:
            for number, point in enumerate(rounds):
                count = dice.randint(1, SERVERS if "settling" in point else 10)
                print(f"round {number}: {point} at passage {count}")
                self.one_round(daemon, number, point, count)
            self.no_errors(daemon)

    def one_round(self, daemon: Daemon, number: int, point: str, count: int) -> None:
        daemon.stop()
        daemon.environment["SNFD_TEST_CRASH"] = f"{point}:{count}"
        daemon.start()
        client = daemon.client()
        image, flavor = image_and_flavor(client)
        wanted = [f"r{number}-{index}" for index in range(SERVERS)]
        with ThreadPoolExecutor(SERVERS) as threads:
            list(threads.map(lambda n: create(client, n, image, flavor), wanted))
        assert daemon.process is not None
        self.assertEqual(-9, daemon.process.wait(60), f"{point} was never passed")

        del daemon.environment["SNFD_TEST_CRASH"]
        daemon.start()
        client = daemon.client()
        for name in set(wanted) - set(listed(client)):
            self.assertTrue(create(client, name, image, flavor))
        eventually(
            lambda: all(one["status"] == "ACTIVE" for one in listed(client).values()),
            60,
        )
        self.assertEqual(set(wanted), set(listed(client)))
        self.assertEqual(SERVERS, len(self.instances(daemon)))
        used = usage(client)
        self.assertEqual(expected(SERVERS), {k: used[k] for k in expected(0)})
        self.remove_all(daemon, client)

    def remove_all(self, daemon: Daemon, client: Client) -> None:
        for one in listed(client).values():
            got = client.delete(f"/os/compute/v2.1/servers/{one['id']}")
            self.assertEqual(204, got.status, got.body)
        eventually(lambda: not listed(client), 60)
        eventually(lambda: not self.instances(daemon), 30)
        used = usage(client)
        self.assertEqual(expected(0), {k: used[k] for k in expected(0)})

    def instances(self, daemon: Daemon) -> list[str]:
        """The cluster's own list, over RAPI."""
        return [one["id"] for one in daemon.rapi("GET", "/2/instances")]

    def no_errors(self, daemon: Daemon) -> None:
        wrong = [
            one for one in daemon.events() if one["level"] in ("error", "critical")
        ]
        self.assertEqual([], wrong[:3])
