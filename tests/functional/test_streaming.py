"""Gigabytes through a real server, in bounded memory."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any
from uuid import uuid4

import pytest
from twisted.trial.unittest import SynchronousTestCase

from storage.hashmap import block_hash, root
from tests.lab import ceph

MIB = 1024 * 1024
BLOCK = 4 * MIB
TOP = Path(__file__).parents[2]


class Content:
    """Distinct blocks that are not kept anywhere.

    :param blocks: how many, of 4 MiB each.
    """

    _seeds = count()

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self._filling = os.urandom(65536) * 63
        self._seed = next(self._seeds)

    @property
    def size(self) -> int:
        return self.blocks * BLOCK

    def __iter__(self) -> Iterator[bytes]:
        for index in range(self.blocks):
            head = b"%032d%032d" % (self._seed, index)
            body = head + self._filling
            yield body + b"x" * (BLOCK - len(body))

    def root(self) -> str:
        return root([block_hash(block) for block in self]).hex()


class Server:
    """A server process (`tests.storage.server`) and a client for it."""

    def __init__(self, *where: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.server", *where],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        self._process.communicate(timeout=30)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        connection = self.connection()
        try:
            connection.request(method, path, **options)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def put(self, path: str, content: Content, **headers: str) -> Any:
        length = {"Content-Length": str(content.size), **headers}
        status, body = self.ask("PUT", path, body=iter(content), headers=length)
        assert status == 201, (status, body)
        return json.loads(body)

    def matches(self, path: str, content: Content) -> bool:
        connection = self.connection()
        connection.request("GET", path)
        response = connection.getresponse()
        assert int(response.headers["Content-Length"]) == content.size
        same = all(response.read(BLOCK) == block for block in content)
        rest = response.read()
        connection.close()
        return same and rest == b""

    def state(self) -> Any:
        return json.loads(self.ask("GET", "/state")[1])

    def becomes(self, **wanted: object) -> None:
        """Wait, with a bound, until the server's state has these values."""
        for _ in range(600):
            state = self.state()
            if all(state[name] == value for name, value in wanted.items()):
                return
            time.sleep(0.05)
        raise AssertionError(f"wanted {wanted}, got {state}")


class FilesTests(SynchronousTestCase):
    def setUp(self) -> None:
        home = Path(tempfile.mkdtemp(prefix="snfd-stream-"))
        self.addCleanup(rmtree, home)
        self.server = Server(str(home / "blocks"))
        self.addCleanup(self.server.stop)

    def test_a_gigabyte_goes_in_and_out_in_bounded_memory(self) -> None:
        content = Content(256)
        answer = self.server.put("/big", content)
        self.assertEqual(content.root(), answer["root"])
        self.assertTrue(self.server.matches("/big", content))
        self.assertLess(self.server.state()["peak"], 250 * MIB)

    def test_sixteen_clients_share_bounded_memory(self) -> None:
        contents = [Content(8) for _ in range(16)]
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(self.one_client, range(16), contents))
        self.server.becomes(uploads=0, writing=0, downloads=0, reading=0)
        self.assertLess(self.server.state()["peak"], 400 * MIB)

    def one_client(self, number: int, content: Content) -> None:
        self.server.put(f"/{number}", content)
        self.assertTrue(self.server.matches(f"/{number}", content))

    def test_the_md5_of_the_whole(self) -> None:
        content = Content(3)
        answer = self.server.put("/o", content, **{"X-MD5": "1"})
        whole = hashlib.md5(b"".join(content), usedforsecurity=False)
        self.assertEqual(whole.hexdigest(), answer["md5"])

    def test_a_chunked_body_of_unknown_length(self) -> None:
        content = Content(3)
        status, body = self.server.ask(
            "PUT", "/o", body=iter([*content, b"end"]), encode_chunked=True,
            headers={"Transfer-Encoding": "chunked"},
        )  # fmt: skip
        self.assertEqual(201, status)
        status, got = self.server.ask("GET", "/o")
        self.assertEqual(b"".join(content) + b"end", got)
        leaves = [block_hash(block) for block in content] + [block_hash(b"end")]
        self.assertEqual(root(leaves).hex(), json.loads(body)["root"])

    def test_a_range(self) -> None:
        content = Content(3)
        self.server.put("/o", content)
        first, last = BLOCK - 10, 2 * BLOCK + 9
        asked = {"Range": f"bytes={first}-{last}"}
        status, got = self.server.ask("GET", "/o", headers=asked)
        self.assertEqual(206, status)
        self.assertEqual(b"".join(content)[first : last + 1], got)

    def test_an_upload_that_is_broken_off_leaves_nothing_open(self) -> None:
        content = Content(10)
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            head = f"PUT /half HTTP/1.1\r\nContent-Length: {content.size}\r\n\r\n"
            client.sendall(head.encode())
            for index, block in enumerate(content):
                client.sendall(block)
                if index == 4:
                    break
        self.server.becomes(uploads=0, writing=0, objects=[])

    def test_a_download_that_is_broken_off_leaves_nothing_open(self) -> None:
        self.server.put("/o", Content(16))
        clients = []
        for _ in range(20):
            client = socket.create_connection(("127.0.0.1", self.server.port))
            self.addCleanup(client.close)
            client.sendall(b"GET /o HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertEqual(b"HTTP/1.1 200", client.recv(12))
            clients.append(client)
        # Twenty that read nothing must not keep others from reading.
        self.assertEqual(200, self.server.ask("GET", "/o")[0])
        for client in clients:
            client.close()
        self.server.becomes(downloads=0, reading=0)

    def test_a_block_that_vanished_cuts_the_connection(self) -> None:
        content = Content(8)
        self.server.put("/o", content)
        lost = block_hash(list(content)[5]).hex()
        (found,) = Path(tempfile.gettempdir()).glob(f"snfd-stream-*/*/*/*/{lost}")
        found.unlink()
        connection = self.server.connection()
        connection.request("GET", "/o")
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            connection.getresponse().read()
        connection.close()
        self.server.becomes(downloads=0, reading=0)


@pytest.mark.xdist_group("ceph")
@pytest.mark.rig("rados")
class RadosTests(SynchronousTestCase):
    def setUp(self) -> None:
        config = ceph.cluster().config()
        self.server = Server(
            config.conf, config.pool, config.user, config.keyring or "", uuid4().hex
        )
        self.addCleanup(self.server.stop)

    def test_a_quarter_gigabyte_goes_in_and_out_in_bounded_memory(self) -> None:
        content = Content(64)
        answer = self.server.put("/big", content, **{"X-MD5": "1"})
        self.assertEqual(content.root(), answer["root"])
        self.assertTrue(self.server.matches("/big", content))
        self.server.put("/again", content)
        self.assertTrue(self.server.matches("/again", content))
        self.assertLess(self.server.state()["peak"], 250 * MIB)
