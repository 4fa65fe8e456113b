"""What somebody with a valid account tries on the wire, at once, or with names."""

from __future__ import annotations

import hashlib
import socket
import unittest
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from tests.functional import things
from tests.functional.daemon import PASSWORD, Client, Daemon, running
from tests.functional.rawhttp import ask, head, read
from tests.functional.things import COMPUTE, IMAGE, NETWORK, ok
from tests.vnc.wire import CLOSE, frames, upgrade

TEXT = {"Content-Type": "text/plain"}
QUOTES = (
    "'; DROP TABLE store.object;--", '"', "%", "_", "\\", "$1", "%s", "%(id)s", "{}",
    "a' OR '1'='1", "é\u0301😀", "<script>alert(1)</script>", "../../etc/passwd", "..",
    "a\r\nX-Evil: yes", "a\tb", "a//b/./c", " lead and trail ", "x" * 1024, "?a=b#c",
)  # fmt: skip


def at_once(what: Callable[[int], int], times: int) -> Counter[int]:
    """Statuses of so many requests at the same time."""
    with ThreadPoolExecutor(times) as pool:
        return Counter(pool.map(what, range(times)))


@pytest.mark.xdist_group("daemon")
@pytest.mark.rig("pocket")
class WireTests(unittest.TestCase):
    """One daemon; after each test its log holds no complaint and no secret."""

    daemon: ClassVar[Daemon]
    demo: ClassVar[Client]
    alt: ClassVar[Client]
    server: ClassVar[int]
    secrets: ClassVar[set[str]]

    @classmethod
    def setUpClass(cls) -> None:
        """Start it; ``demo`` has a server with a screen."""
        cls.daemon = cls.enterClassContext(
            running(SNFD_POCKET_HYPERVISOR="screen", SNFD_LOG_LEVEL="debug")
        )
        cls.demo, cls.alt = cls.daemon.client(), cls.daemon.client("alt")
        cls.server = things.a_server(cls.demo, "thing", adminPass="5ecret-Enough")
        cls.secrets = {cls.demo.token, cls.alt.token, PASSWORD, "5ecret-Enough"}

    def tearDown(self) -> None:
        """Nothing in the log that nobody expected, and nothing to be kept quiet."""
        self.assertEqual([], list(self.daemon.complaints()))
        for path in (self.daemon.log, *self.daemon.var.rglob("*.log")):
            text = path.read_text("utf-8", "replace")
            for secret in self.secrets:
                self.assertNotIn(secret, text, path)

    # ------------------------------------------------------------- consoles

    def ticket(self, client: Client | None = None) -> str:
        """A fresh ticket to the screen of the server."""
        body = {"os-getVNCConsole": {"type": "novnc"}}
        path = f"{COMPUTE}/servers/{self.server}/action"
        url = ok((client or self.demo).post(path, body))["console"]["url"]
        found: str = url.partition("#ticket=")[2]
        self.secrets.add(found)
        return found

    def open(self, ticket: str, **headers: str) -> tuple[socket.socket, int]:
        """A websocket to the console, and the status that it opened with."""
        wire = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=30)
        self.addCleanup(wire.close)
        host = {"Host": f"127.0.0.1:{self.daemon.port}", **headers}
        wire.sendall(upgrade(f"/console/{ticket}", host))
        return wire, read(wire, bodiless=True).status

    def closed(self, wire: socket.socket) -> bool:
        """Whether the server says goodbye, or is gone, within the time limit."""
        got = b""
        while more := wire.recv(65536):
            got += more
            if any(opcode == CLOSE for opcode, _ in frames(got)):
                return True
        return True

    def test_a_ticket_opens_one_console_once(self) -> None:
        ticket = self.ticket()
        self.assertEqual(101, self.open(ticket)[1])
        self.assertEqual(404, self.open(ticket)[1])
        self.assertEqual(404, self.open("x" * 43)[1])
        self.assertEqual(404, self.open("x" * 43 + "%00")[1])

    def test_pages_of_others_open_no_console(self) -> None:
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            self.assertEqual(403, self.open(self.ticket(), Origin=origin)[1], origin)
        ours = f"http://127.0.0.1:{self.daemon.port}"
        self.assertEqual(101, self.open(self.ticket(), Origin=ours)[1])

    def test_an_open_console_ends_with_its_token(self) -> None:
        client = self.daemon.client()
        self.secrets.add(client.token)
        (wire, status), unused = self.open(self.ticket(client)), self.ticket(client)
        self.assertEqual(101, status)
        gone = {"X-Subject-Token": client.token}
        ok(self.demo.delete("/identity/v3/auth/tokens", headers=gone), 204)
        self.assertTrue(self.closed(wire))
        self.assertEqual(403, self.open(unused)[1])

    def test_one_user_cannot_take_all_consoles(self) -> None:
        opened = [self.open(self.ticket())[1] for _ in range(52)]
        self.assertEqual({101, 429}, set(opened))

    # ---------------------------------------------------------------- pages

    def test_paths_out_of_the_pages(self) -> None:
        for tail in (
            b"/../snfd.log", b"/..%2f..%2fetc/passwd", b"/%2e%2e/%2e%2e/etc/passwd",
            b"//etc/passwd", b"/assets/../../../etc/passwd", b"/.git/config", b"/%00",
            b"/assets/", b"/..", b"/console.html/../../snfd.log", b"/\\..\\x",
        ):  # fmt: skip
            self.assertIn(
                ask(self.daemon.port, head(b"GET", b"/ui" + tail)).status, (400, 404)
            )

    def test_no_other_origin_is_let_in(self) -> None:
        for path in (
            "/identity/v3/auth/projects", f"{COMPUTE}/servers", "/compute/v2.0/servers",
            f"/v1/AUTH_{self.demo.project}", f"/object-store/v1/{self.demo.user}",
        ):  # fmt: skip
            for method in ("GET", "OPTIONS"):
                asked = {
                    "Origin": "https://evil.example",
                    "Access-Control-Request-Method": "DELETE",
                }
                got = self.demo.request(method, path, headers=asked)
                allowed = [one for one in got.headers if "access-control" in one]
                self.assertEqual([], allowed, path)

    def test_a_page_that_somebody_stored_is_not_one_of_ours(self) -> None:
        for base in self.accounts():
            ok(self.demo.put(f"{base}/pages"), 201, 202)
            html = {"Content-Type": "text/html"}
            page = b"<script>alert(1)</script>"
            ok(self.demo.put(f"{base}/pages/x.html", page, headers=html), 201)
            shown = self.demo.get(f"{base}/pages/x.html").headers
            self.assertEqual("sandbox", shown["content-security-policy"])
            self.assertEqual("nosniff", shown["x-content-type-options"])

    # ---------------------------------------------------------------- names

    def accounts(self) -> Iterator[str]:
        """The paths of the user's accounts, in both dialects."""
        yield f"/v1/AUTH_{self.demo.project}"
        yield f"/object-store/v1/{self.demo.user}"

    def test_names_are_nothing_but_names(self) -> None:
        for base in self.accounts():
            ok(self.demo.put(f"{base}/names"), 201, 202)
            for name in QUOTES:
                with self.subTest(name, base=base):
                    path = f"{base}/names/{quote(name, safe='')}"
                    body = name.encode()
                    ok(self.demo.put(path, body, headers=TEXT), 201)
                    got = self.demo.get(path)
                    self.assertEqual((200, body), (got.status, got.body))
                    self.assertNotIn("x-evil", got.headers)
                    listing = f"{base}/names?format=json&prefix={quote(name, safe='')}"
                    listed = [one["name"] for one in ok(self.demo.get(listing))]
                    self.assertIn(name, listed)
                    self.assertTrue(all(one.startswith(name) for one in listed))

    def test_names_of_other_things(self) -> None:
        for name in QUOTES:
            if "\r" in name or "\t" in name or len(name) > 255:
                continue
            with self.subTest(name):
                made = {"network": {"name": name}}
                got = self.demo.post(f"{NETWORK}/networks", made)
                ident = ok(got, 201)["network"]["id"]
                named = f"{NETWORK}/networks?name={quote(name, safe='')}"
                found = ok(self.demo.get(named))["networks"]
                self.assertEqual([name], [one["name"] for one in found])
                ok(self.demo.delete(f"{NETWORK}/networks/{ident}"), 204)
                servers = f"{COMPUTE}/servers?name={quote(name, safe='')}"
                self.assertIn(self.demo.get(servers).status, (200, 400))
                meta = {"metadata": {name[:200]: name[:200]}}
                path = f"{COMPUTE}/servers/{self.server}/metadata"
                kept = ok(self.demo.put(path, meta))["metadata"]
                self.assertEqual(meta["metadata"], kept)

    def test_metadata_breaks_no_header(self) -> None:
        for base in self.accounts():
            path = f"{base}/names"
            ok(self.demo.put(path), 201, 202)
            for value in ("a%0d%0aX-Evil: yes", "a%0aX-Evil: yes", 'a"; x="', "é"):
                sent = {
                    "X-Container-Meta-A": value.encode().decode("latin-1"),
                    "X-Container-Meta-%0d%0aX-Evil": "yes",
                }
                self.demo.post(path, b"", headers=sent)
                self.assertNotIn("x-evil", self.demo.request("HEAD", path).headers)

    # ------------------------------------------------------- content, images

    def test_blocks_of_others_cannot_be_claimed(self) -> None:
        secret = b"nobody else has these bytes"
        mine, theirs = (f"/object-store/v1/{one.user}" for one in (self.demo, self.alt))
        ok(self.demo.put(f"{mine}/claims"), 201)
        ok(self.demo.put(f"{mine}/claims/o", secret, headers=TEXT), 201)
        ok(self.alt.put(f"{theirs}/claims"), 201)
        digest = hashlib.sha256(secret).hexdigest()
        claim = {"bytes": len(secret), "hashes": [digest]}
        got = self.alt.put(f"{theirs}/claims/o?hashmap", claim)
        self.assertEqual((409, [digest]), (got.status, got.json))
        unknown = {"bytes": len(secret), "hashes": ["0" * 64]}
        got = self.alt.put(f"{theirs}/claims/o?hashmap", unknown)
        self.assertEqual(409, got.status)
        for sent in ({"X-Copy-From": "/claims/o"}, {"X-Move-From": "/claims/o"}):
            sent = {**sent, "X-Source-Account": self.demo.user, "Content-Length": "0"}
            got = self.alt.put(f"{theirs}/claims/o", b"", headers=sent)
            self.assertEqual(403, got.status)

    def test_a_cluster_fetches_images_from_us_alone(self) -> None:
        for key in ("locations", "direct_url", "file", "self", "owner", "size"):
            got = self.demo.post(f"{IMAGE}/images", {"name": "x", key: "http://x/"})
            self.assertEqual(403, got.status, key)
        wanted: dict[str, Any] = {
            "name": "far", "disk_format": "raw", "container_format": "bare",
            "img_id": "http://evil.example/", "config_url": "http://evil.example/",
        }  # fmt: skip
        ident = ok(self.demo.post(f"{IMAGE}/images", wanted), 201)["id"]
        sent = {"Content-Type": "application/octet-stream"}
        data = bytes(64 << 10)
        ok(self.demo.put(f"{IMAGE}/images/{ident}/file", data, headers=sent), 204)
        server = things.a_server(self.demo, "far", imageRef=ident)
        jobs = str(self.daemon.rapi("GET", "/2/jobs?bulk=1"))
        self.assertIn(f"snf-{server}", jobs)
        self.assertIn("/vmapi/v1.0/image/", jobs)
        self.assertNotIn("evil.example", jobs)

    # ---------------------------------------------------------- many at once

    def test_limits_hold_when_many_ask_at_once(self) -> None:
        def address(_: int) -> int:
            body = {"floatingip": {"floating_network_id": "1"}}
            return self.alt.post(f"{NETWORK}/floatingips", body).status

        self.assertEqual({201: 20, 409: 10}, at_once(address, 30))
        image, flavor = things.demo_image(self.alt), things.flavors(self.alt)[0]

        def server(number: int) -> int:
            wanted = {"name": f"s{number}", "imageRef": image, "flavorRef": flavor}
            return self.alt.post(f"{COMPUTE}/servers", {"server": wanted}).status

        self.assertEqual({202: 20, 403: 6}, at_once(server, 26))
        base = f"/object-store/v1/{self.alt.user}/limited"
        limit = {"X-Container-Policy-Quota": "100"}
        ok(self.alt.put(base, headers=limit), 201)

        def upload(number: int) -> int:
            path = f"{base}/o{number}"
            return self.alt.put(path, b"x" * 60, headers=TEXT).status

        self.assertEqual({201: 1, 413: 15}, at_once(upload, 16))

    def test_clients_that_do_nothing_keep_nobody_out(self) -> None:
        with ExitStack() as idle:
            for index in range(600):
                wire = socket.create_connection(("127.0.0.1", self.daemon.port))
                idle.enter_context(closing(wire))
                if index % 2:
                    wire.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
            self.assertEqual(200, self.demo.get(f"{COMPUTE}/servers").status)
