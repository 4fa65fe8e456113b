"""What kamaki asks, asked again without kamaki (``matrix-kamaki.md``)."""

from __future__ import annotations

import json
import os
import re
import time
import unittest
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define, field, frozen

from storage.hashmap import block_hash
from tests.functional.daemon import PASSWORD, Client, Daemon, Reply, eventually, running
from tests.functional.openstack import RUNNERS
from tests.functional.test_clients import KAMAKI_LATER
from tests.functional.things import ok

MATRIX = RUNNERS / "matrix-kamaki.md"
LATER = KAMAKI_LATER | {
    "group list",
    "volume types",
    "volume create",
    "volume list",
    "volume info",
    "volume delete",
    "snapshot create",
    "snapshot list",
    "snapshot delete",
}
BLOCK = 4 << 20
# three blocks of two contents: as many as the table sends
BIG = 2 * os.urandom(BLOCK) + os.urandom(1 << 20)
BLOCKS = [BIG[at : at + BLOCK] for at in range(0, len(BIG), BLOCK)]
SMALL = b"hello\n"
MADE = re.compile(r"/(servers|networks|subnets|ports|floatingips)$")


@frozen
class Row:
    """One request of the table, and the status that kamaki expects."""

    step: str
    method: str
    path: str
    headers: str
    body: str
    answer: int


def matrix() -> Iterator[Row]:
    """The table in order; a step's further requests bear its name too."""
    step = ""
    for line in MATRIX.read_text().splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        step = cells[0] or step
        method, path = cells[1].strip("`").split()
        yield Row(step, method, path, cells[2], cells[3].strip("`"), int(cells[4] or 0))


@define
class Replay:
    """A kamaki that does not think: it only knows what was answered before.

    :ivar made: ids of what was made, by collection.
    """

    client: Client
    image: str
    flavor: int
    made: dict[str, str] = field(factory=dict)

    def ask(self, row: Row) -> Reply:
        """Send a row's request; ids and bytes are ours."""
        path = self.path(row)
        got = self.client.request(
            row.method, path, self.body(row), dict(self.headers(row))
        )
        found = MADE.search(path)
        if row.method == "POST" and found and got.status < 300:
            [made] = got.json.values()
            self.made[found[1]] = str(made["id"])
        return got

    def path(self, row: Row) -> str:
        """A row's path with our ids in it."""
        path = row.path.replace("{pid}", self.client.user)
        path = re.sub(r"(?<=until=)[0-9.]+", str(int(time.time())), path)
        path = path.replace("{uuid}", self.image)
        path = re.sub(r"/flavors/1$", f"/flavors/{self.flavor}", path)
        return re.sub(r"/(\w+)/\{id\}", lambda at: f"/{at[1]}/{self.made[at[1]]}", path)

    def headers(self, row: Row) -> Iterator[tuple[str, str]]:
        """A row's headers; a bare value is the body's type."""
        for one in filter(None, row.headers.split("; ")):
            name, colon, value = one.partition(": ")
            value = value.replace("{pid}", self.client.user)
            yield (name, value) if colon else ("Content-Type", name)

    def body(self, row: Row) -> object:
        """A row's body; with our bytes, their hashes and our ids."""
        if row.body.startswith("<"):
            wanted = int(row.body[1:].split()[0])
            return next(one for one in BLOCKS if len(one) == wanted)
        if row.body == SMALL.decode("unicode_escape").replace("\n", "\\n"):
            return SMALL
        if not row.body:
            return None
        said = json.loads(row.body.replace("{pid}", self.client.user))
        if "hashes" in said:
            blocks = BLOCKS if said["bytes"] == len(BIG) else [SMALL]
            said["hashes"] = [block_hash(one).hex() for one in blocks]
            return json.dumps(said).encode()
        return self._with_ids(said)

    def _with_ids(self, said: Any) -> Any:
        for inner in (one for one in said.values() if isinstance(one, dict)):
            for key, kind in (("network_id", "networks"), ("device_id", "servers")):
                if key in inner:
                    inner[key] = self.made[kind]
            if "imageRef" in inner:
                inner.update(imageRef=self.image, flavorRef=self.flavor)
            if "passwordCredentials" in inner:
                inner["passwordCredentials"]["password"] = PASSWORD
        return said


@pytest.mark.rig("pocket")
@pytest.mark.xdist_group("clients")
class ReplayTests(unittest.TestCase):
    daemon: Daemon

    def setUp(self) -> None:
        self.daemon = self.enterContext(running(SNFD_POCKET_HYPERVISOR="screen"))
        client = self.daemon.client()
        images = ok(client.get("/os/image/v2/images"))["images"]
        flavors = ok(client.get("/compute/v2.0/flavors"))["flavors"]
        self.replay = Replay(client, images[0]["id"], flavors[0]["id"])

    def test_every_request_is_answered_as_kamaki_expects(self) -> None:
        wrong = []
        for row in matrix():
            if row.step in LATER or (row.step == "(before)" and row.method == "GET"):
                continue
            self.settled(row)
            got = self.replay.ask(row)
            if got.status != row.answer:
                wrong.append((row.step, row.method, row.path, got.status, got.body))
            else:
                self.look(row, got)
        self.assertEqual([], wrong)

    def settled(self, row: Row) -> None:
        """Wait as kamaki does: nothing is asked of a server under a task."""
        server = self.replay.made.get("servers")
        if server is not None and row.method != "GET":
            path = f"/compute/v2.0/servers/{server}"
            eventually(
                lambda: (
                    (found := self.replay.client.get(path)).status == 404
                    or not found.json["server"]["SNF:task_state"]
                )
            )
        if row.method == "DELETE" and "/networks/" in row.path:
            path = f"/network/v2.0/ports?network_id={self.replay.made['networks']}"
            eventually(lambda: not self.replay.client.get(path).json["ports"])

    def look(self, row: Row, got: Reply) -> None:
        """What kamaki reads of some answers."""
        if row.method == "HEAD" and row.path.endswith("/kam"):
            self.assertEqual(str(BLOCK), got.headers["x-container-block-size"])
            self.assertEqual("sha256", got.headers["x-container-block-hash"])
        if row.method == "PUT" and row.answer == 409:
            self.assertEqual(set(json.loads(self.sent(row))["hashes"]), set(got.json))
        if row.body.startswith("<"):
            data = self.replay.body(row)
            assert isinstance(data, bytes)
            self.assertIn(block_hash(data).hex(), got.body.decode())
        if "range: bytes=" in row.headers and row.path.endswith("big?format=json"):
            first, last = map(int, row.headers.partition("=")[2].split("-"))
            self.assertEqual(BIG[first : last + 1], got.body)
        if row.step == "user uuid2name":
            self.assertEqual(
                {self.replay.client.user: "demo"}, got.json["uuid_catalog"]
            )
        if row.step == "server console":
            wanted = {"type", "host", "port", "password"}
            self.assertEqual(set(), wanted - set(got.json["console"]))

    def sent(self, row: Row) -> bytes:
        """A body that is bytes."""
        data = self.replay.body(row)
        assert isinstance(data, bytes)
        return data
