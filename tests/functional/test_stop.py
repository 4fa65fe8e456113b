"""A clean stop: nothing hangs, nothing stays, nothing is lost."""

from __future__ import annotations

import base64
import random
import signal
import socket
import threading
import time
import unittest
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.functional.daemon import PASSWORD, Client, Daemon, eventually, running
from tests.functional.evidence import complaints, imbalance, miscounted
from tests.functional.processes import family, users_of
from tests.functional.test_kill import create, image_and_flavor, listed

MIB = 1 << 20
BOUND = 40
"""Seconds within which the daemon must have ended, on any machine."""


def wire(client: Client, head: str, *lines: str) -> socket.socket:
    """A connection with a request whose headers have been sent."""
    made = socket.create_connection(("127.0.0.1", client.port), timeout=30)
    told = [head, "Host: 127.0.0.1", f"X-Auth-Token: {client.token}", *lines]
    made.sendall("\r\n".join([*told, "", ""]).encode())
    return made


@contextmanager
def busy(client: Client) -> Iterator[None]:
    """Many requests, one after the other, until the daemon is gone."""
    over = threading.Event()
    user = {"name": "demo", "domain": {"name": "Default"}, "password": PASSWORD}
    login = {"identity": {"methods": ["password"], "password": {"user": user}}}

    def ask(number: int) -> None:
        with suppress(OSError):
            while not over.is_set():
                if number % 2:
                    client.post("/identity/v3/auth/tokens", {"auth": login})
                else:
                    client.get("/os/compute/v2.1/servers/detail")

    threads = [threading.Thread(target=ask, args=(one,)) for one in range(6)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.rig("pocket")
class StopTests(unittest.TestCase):
    @pytest.mark.timeout(300)
    def test_stopped_in_the_middle_of_everything(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGINT):
            with running(None, SNFD_POCKET_HYPERVISOR="screen") as daemon:
                self.stopped_while_busy(daemon, sign)
                daemon.start()
                client = daemon.client()
                self.all_made(client)
                self.assertEqual(9, len(listed(client)))
                names = client.get(self.box(client)).body.decode().split()
                self.assertEqual(["large"], names)
                self.assertEqual([], imbalance(daemon))
                self.assertEqual([], miscounted(daemon))
                daemon.stop()
                self.assertEqual([], complaints(daemon))

    def all_made(self, client: Client) -> None:
        """What was accepted is made, and nothing failed because of the stop."""
        eventually(
            lambda: all(one["status"] != "BUILD" for one in listed(client).values())
        )
        wrong = [one for one in listed(client).values() if one["status"] != "ACTIVE"]
        self.assertEqual([], [(one["status"], one.get("fault")) for one in wrong])

    def stopped_while_busy(self, daemon: Daemon, sign: signal.Signals) -> None:
        client = daemon.client()
        image, flavor = image_and_flavor(client)
        self.assertTrue(create(client, "shown", image, flavor))
        eventually(lambda: listed(client)["shown"]["status"] == "ACTIVE")
        self.assertEqual(201, client.put(self.box(client)).status)
        large = random.randbytes(40 * MIB)
        self.assertEqual(201, client.put(f"{self.box(client)}/large", large).status)
        with ExitStack() as stack:
            stack.enter_context(self.console(client))
            for one in range(3):
                stack.enter_context(self.upload(client, one))
            stack.enter_context(self.download(client))
            stack.enter_context(socket.create_connection(("127.0.0.1", client.port)))
            for number in range(8):
                self.assertTrue(create(client, f"new-{number}", image, flavor))
            stack.enter_context(busy(client))
            time.sleep(random.uniform(0, 0.5))
            processes = list(family(daemon.pid))
            assert daemon.process is not None
            daemon.process.send_signal(sign)
            begun = time.monotonic()
            # twistd ends by the very signal, once all is in order
            self.assertEqual(-sign, daemon.process.wait(BOUND))
            print(f"{sign.name}: ended after {time.monotonic() - begun:.1f} s")
        self.assertEqual("Server Shut Down.", [*daemon.events()][-1]["message"])
        self.assertGreater(len(processes), 3)
        self.assertEqual([], users_of(daemon.var))
        self.assertEqual([], complaints(daemon))

    def box(self, client: Client) -> str:
        return f"/v1/AUTH_{client.project}/box"

    def console(self, client: Client) -> socket.socket:
        """An open console that shows its screen."""
        server = listed(client)["shown"]["id"]
        got = client.post(
            f"/os/compute/v2.1/servers/{server}/remote-consoles",
            {"remote_console": {"protocol": "vnc", "type": "novnc"}},
        )
        self.assertEqual(200, got.status, got.body)
        ticket = got.json["remote_console"]["url"].partition("ticket=")[2]
        key = base64.b64encode(random.randbytes(16)).decode()
        opened = wire(
            client,
            f"GET /console/{ticket} HTTP/1.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: binary",
        )
        told = b""
        while b"RFB 003.008" not in told:
            more = opened.recv(4096)
            self.assertTrue(more, told)
            told += more
        self.assertIn(b" 101 ", told.partition(b"\r\n")[0])
        return opened

    def upload(self, client: Client, number: int) -> socket.socket:
        """An upload that has got so far."""
        path = f"{self.box(client)}/half-{number}"
        sending = wire(client, f"PUT {path} HTTP/1.1", f"Content-Length: {64 * MIB}")
        sending.sendall(random.randbytes(9 * MIB))
        return sending

    def download(self, client: Client) -> socket.socket:
        """A download of which a part has been read."""
        reading = wire(client, f"GET {self.box(client)}/large HTTP/1.1")
        self.assertIn(b" 200 ", reading.recv(65536).partition(b"\r\n")[0])
        return reading
