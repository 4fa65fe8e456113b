"""A large object passes through the whole daemon, whose memory stays small."""

from __future__ import annotations

import hashlib
import http.client
import random
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.functional.daemon import Client, Daemon, running
from tests.functional.evidence import complaints, imbalance, pocket_pid, rows
from tests.functional.processes import family, peak

MIB = 1 << 20
SIZE = 1024 * MIB
LIMIT = 250_000_000
"""Bytes that all processes but PostgreSQL's may have held at most, together."""
SEVERAL = 310_000_000
"""The same while several objects come in and others go out, as many as there
is room for: 64 MiB of blocks in each direction.
"""


def pieces(seed: int) -> Iterator[bytes]:
    """A gibibyte of which no block is like another."""
    dice = random.Random(seed)
    for _ in range(SIZE // MIB):
        yield dice.randbytes(MIB)


@pytest.mark.rig("pocket")
class MemoryTests(unittest.TestCase):
    @pytest.mark.timeout(600)
    def test_a_gibibyte_goes_in_and_comes_out(self) -> None:
        seed = random.randrange(2**32)
        with running() as daemon:
            client = daemon.client()
            box = f"/v1/AUTH_{client.project}/box"
            self.assertEqual(201, client.put(box).status)
            digest = self.upload(client, f"{box}/large", seed)
            self.assertEqual(digest, self.download(client, f"{box}/large"))
            self.small(daemon, LIMIT)
            for _ in range(2):
                self.several_at_once(client, box)
            self.small(daemon, SEVERAL)
            self.assertEqual([], imbalance(daemon))
            [[blocks]] = rows(daemon, "SELECT count(*) FROM store.block WHERE refs > 0")
            self.assertGreaterEqual(blocks, SIZE // (4 * MIB))
            daemon.stop()
            self.assertEqual([], complaints(daemon))

    def several_at_once(self, client: Client, box: str) -> None:
        """Streams share what memory there is for blocks."""
        data = random.randbytes(40 * MIB)

        def there_and_back(number: int) -> bool:
            path = f"{box}/part-{number}"
            stored = client.put(path, data[number:]).status == 201
            return stored and client.get(path).body == data[number:]

        with ThreadPoolExecutor(4) as threads:
            self.assertEqual([True] * 4, list(threads.map(there_and_back, range(4))))

    def small(self, daemon: Daemon, limit: int) -> None:
        used = self.peaks(daemon)
        print({name: f"{size / 1e6:.0f} MB" for name, size in used.items()})
        self.assertLess(sum(used.values()), limit, used)

    def peaks(self, daemon: Daemon) -> dict[str, int]:
        """The most memory of the daemon and of each child but PostgreSQL."""
        found = {}
        for pid in family(daemon.pid):
            with open(f"/proc/{pid}/comm") as file:
                name = file.read().strip()
            if name != "postgres":
                found[f"{name}-{pid}"] = peak(pid)
        self.assertIn(pocket_pid(daemon), family(daemon.pid))
        return found

    def upload(self, client: Client, path: str, seed: int) -> str:
        md5 = hashlib.md5()

        def body() -> Iterator[bytes]:
            for piece in pieces(seed):
                md5.update(piece)
                yield piece

        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=120)
        headers = {
            "X-Auth-Token": client.token,
            "Content-Length": str(SIZE),
            "Content-Type": "application/octet-stream",
        }
        connection.request("PUT", path, body(), headers)
        got = connection.getresponse()
        got.read()
        connection.close()
        self.assertEqual(201, got.status)
        self.assertEqual(md5.hexdigest(), got.headers["Etag"])
        return md5.hexdigest()

    def download(self, client: Client, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=120)
        connection.request("GET", path, headers={"X-Auth-Token": client.token})
        got = connection.getresponse()
        self.assertEqual((200, str(SIZE)), (got.status, got.headers["Content-Length"]))
        md5 = hashlib.md5()
        while piece := got.read(MIB):
            md5.update(piece)
        connection.close()
        return md5.hexdigest()
