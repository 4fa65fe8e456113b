"""Uploads that never end: clients that vanish, a daemon that is killed."""

from __future__ import annotations

import hashlib
import http.client
import random
import socket
import struct
import threading
import time
import unittest
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define, field

from tests.functional.daemon import Client, Daemon, eventually, running
from tests.functional.evidence import complaints, imbalance, miscounted, rows

MIB = 1 << 20
BOX = "box"
ALONE = {"SNFD_POCKET_ENABLED": "false", "SNFD_METRICS_TOKEN": "metrics"}


def places(client: Client) -> dict[str, str]:
    """Where the project's container is, by dialect."""
    return {
        "swift": f"/v1/AUTH_{client.project}/{BOX}",
        "pithos": f"/object-store/v1/{client.project}/{BOX}",
    }


@define
class Upload:
    """One object on its way.

    :ivar sent: whether all of its body was handed to the kernel.
    :ivar status: of the answer, or None if there was none.
    """

    path: str
    data: bytes
    chunked: bool
    sent: bool = False
    status: int | None = None

    def run(self, client: Client) -> None:
        """Send it; the daemon may die meanwhile."""
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
        try:
            connection.putrequest("PUT", self.path)
            connection.putheader("X-Auth-Token", client.token)
            connection.putheader("Content-Type", "application/octet-stream")
            if self.chunked:
                connection.putheader("Transfer-Encoding", "chunked")
            else:
                connection.putheader("Content-Length", str(len(self.data)))
            # without a body the head is all, or the end of the chunks
            self.sent = not (self.data or self.chunked)
            connection.endheaders(self.body(), encode_chunked=self.chunked)
            self.status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()

    def body(self) -> Iterator[bytes]:
        self.sent = not self.data
        for start in range(0, len(self.data), MIB // 4):
            if start + MIB // 4 >= len(self.data):
                self.sent = True
            yield self.data[start : start + MIB // 4]


@define
class Uploader(threading.Thread):
    """Uploads one object after the other until the daemon is gone."""

    client: Client
    path: str
    dice: random.Random
    begun: list[Upload] = field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.begun or self.begun[-1].status is not None:
            size = self.dice.choice((0, 1, 5000, MIB, 4 * MIB, 4 * MIB + 1, 9 * MIB))
            name = f"{self.path}-{len(self.begun)}"
            # every third one replaces an object that is there
            if self.begun and self.dice.random() < 0.3:
                name = self.begun[-1].path
            upload = Upload(name, self.dice.randbytes(size), self.dice.random() < 0.3)
            self.begun.append(upload)
            upload.run(self.client)


def vanish(client: Client, path: str, chunked: bool, reset: bool) -> None:
    """Send five of eight MiB, then go away."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {8 * MIB}"
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.token}\r\n{length}"
    part = random.randbytes(MIB)
    if chunked:
        part = b"%x\r\n%s\r\n" % (MIB, part)
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as wire:
        wire.sendall(head.encode() + b"\r\n\r\n")
        for _ in range(5):
            wire.sendall(part)
        time.sleep(0.3)
        if reset:
            linger = struct.pack("ii", 1, 0)
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


class VanishingClientTests(unittest.TestCase):
    """No object, no version and no charge of an upload that was broken off."""

    @pytest.mark.timeout(200)
    def test_clients_that_vanish_in_the_middle(self) -> None:
        with running(None, **ALONE) as daemon:
            client = daemon.client()
            for path in places(client).values():
                self.assertIn(client.put(path).status, (201, 202))
            kept = random.randbytes(3 * MIB)
            self.assertEqual(201, self.put(client, "kept", kept))
            before = self.versions(daemon)
            for dialect, path in places(client).items():
                for chunked in (False, True):
                    for reset in (False, True):
                        for name in (f"{dialect}-{chunked}-{reset}", "kept"):
                            vanish(client, f"{path}/{name}", chunked, reset)
            eventually(lambda: "snfd_uploads 0.0" in self.metrics(client, daemon))
            self.assertEqual(before, self.versions(daemon))
            for path in places(client).values():
                listing = client.get(path).body.decode().split()
                self.assertEqual(["kept"], listing)
                self.assertEqual(kept, client.get(f"{path}/kept").body)
            self.assertEqual([], imbalance(daemon))
            self.assertEqual([], miscounted(daemon))
            [[used]] = rows(
                daemon,
                "SELECT usage_max FROM quota.holding WHERE project_id = %s"
                " AND resource = 'pithos.diskspace' AND user_id IS NULL",
                client.project,
            )
            self.assertEqual(len(kept), used)
            daemon.stop()
            self.assertEqual([], complaints(daemon))

    def put(self, client: Client, name: str, data: bytes) -> int:
        return client.put(f"{places(client)['swift']}/{name}", data).status

    def versions(self, daemon: Daemon) -> list[tuple[Any, ...]]:
        return rows(
            daemon,
            "SELECT o.name, v.serial, v.size, v.cluster FROM store.version v"
            " JOIN store.object o ON o.id = v.object_id ORDER BY v.serial",
        )

    def metrics(self, client: Client, daemon: Daemon) -> str:
        got = client.get("/metrics", headers={"Authorization": "Bearer metrics"})
        self.assertEqual(200, got.status)
        return got.body.decode()


class KilledWhileUploadingTests(unittest.TestCase):
    """``kill -9`` under uploads: what was acknowledged stays, and nothing else."""

    rounds = 5
    uploaders = 6

    @pytest.mark.timeout(300)
    def test_a_daemon_killed_while_uploading(self) -> None:
        seed = random.randrange(2**32)
        print(f"seed {seed}")
        dice = random.Random(seed)
        acknowledged: dict[str, str] = {}
        with running(None, **ALONE) as daemon:
            client = daemon.client()
            for path in places(client).values():
                self.assertIn(client.put(path).status, (201, 202))
            for number in range(self.rounds):
                begun = self.killed(daemon, client, number, dice)
                daemon.start()
                client = daemon.client()
                self.judge(client, begun, acknowledged)
                self.assertEqual([], miscounted(daemon))
                self.assertEqual([], imbalance(daemon))
            self.all_there(client, acknowledged)
            daemon.stop()
            self.assertEqual([], complaints(daemon))

    def killed(
        self, daemon: Daemon, client: Client, number: int, dice: random.Random
    ) -> list[Upload]:
        paths = list(places(client).values())
        uploaders = [
            Uploader(
                client,
                f"{paths[one % 2]}/r{number}-{one}",
                random.Random(dice.random()),
            )
            for one in range(self.uploaders)
        ]
        for uploader in uploaders:
            uploader.start()
        time.sleep(dice.uniform(0.5, 4))
        daemon.kill()
        for uploader in uploaders:
            uploader.join()
        return [upload for uploader in uploaders for upload in uploader.begun]

    def judge(
        self, client: Client, begun: list[Upload], acknowledged: dict[str, str]
    ) -> None:
        """What was not acknowledged is not there, but for an answer that was lost.

        Such a one had been received whole, and is whole.
        """
        for upload in begun:
            digest = hashlib.sha256(upload.data).hexdigest()
            if upload.status is not None:
                self.assertEqual(201, upload.status)
                acknowledged[upload.path] = digest
                continue
            got = client.get(upload.path)
            found = hashlib.sha256(got.body).hexdigest() if got.status == 200 else None
            if upload.sent and found == digest:
                acknowledged[upload.path] = digest
            else:
                self.assertEqual(acknowledged.get(upload.path), found, upload.path)
        lost = sum(one.status is None for one in begun)
        print(f"{len(begun) - lost} acknowledged, {lost} broken off")

    def all_there(self, client: Client, acknowledged: dict[str, str]) -> None:
        for path, digest in acknowledged.items():
            got = client.get(path)
            self.assertEqual(200, got.status, path)
            self.assertEqual(digest, hashlib.sha256(got.body).hexdigest(), path)
        names = client.get(places(client)["swift"]).body.decode().split()
        wanted = {path.rpartition("/")[2] for path in acknowledged}
        self.assertEqual(sorted(wanted), sorted(names))
