"""The web pages as they are served."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from pathlib import Path

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource, Resource
from twisted.web.server import Site

from api.ui import built_pages, resource, static
from snfd.errors import TooLarge

SCRIPT = b"export const x = 1;\n" * 100


class Response:
    """One answer, as it was on the wire."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {
            name.lower(): value for name, value in (one.split(": ", 1) for one in lines)
        }


class Browser:
    """Asks a resource without following or decoding anything."""

    def __init__(self, resource: IResource) -> None:
        self._site = Site(resource, reactor=Clock())

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        sent = {"Host": "x", "Connection": "close", **(headers or {})}
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items())]
        transport = StringTransport()
        protocol = self._site.buildProtocol(None)
        protocol.makeConnection(transport)
        protocol.dataReceived(("\r\n".join(lines) + "\r\n\r\n").encode())
        return Response(transport.value())

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Response:
        return self.request("GET", path, headers)


class UiCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        (self.directory / "assets").mkdir(parents=True)
        self.write("index.html", b"<!doctype html>hello")
        self.write("assets/main-abc123.js", SCRIPT)
        self.browser = self.serve()

    def write(self, name: str, content: bytes) -> None:
        (self.directory / name).write_bytes(content)

    def serve(self, *connect: str) -> Browser:
        root = Resource()
        root.putChild(b"ui", resource(self.directory, connect))
        return Browser(root)


class PageTests(UiCase):
    def test_pages_by_path(self) -> None:
        for path in ("/ui/", "/ui/index.html"):
            page = self.browser.get(path)
            self.assertEqual((200, b"<!doctype html>hello"), (page.status, page.body))
            self.assertEqual("text/html; charset=utf-8", page.headers["content-type"])

    def test_the_directory_needs_its_slash(self) -> None:
        page = self.browser.get("/ui")
        self.assertEqual((308, "ui/"), (page.status, page.headers["location"]))

    def test_head(self) -> None:
        page = self.browser.request("HEAD", "/ui/")
        self.assertEqual((200, b""), (page.status, page.body))
        self.assertEqual("20", page.headers["content-length"])

    def test_other_methods(self) -> None:
        for method in ("POST", "PUT", "DELETE"):
            self.assertEqual(405, self.browser.request(method, "/ui/").status)

    def test_hashed_files_are_kept_and_pages_are_asked_for(self) -> None:
        script = self.browser.get("/ui/assets/main-abc123.js")
        self.assertIn("immutable", script.headers["cache-control"])
        self.assertEqual(
            "text/javascript; charset=utf-8", script.headers["content-type"]
        )
        page = self.browser.get("/ui/")
        self.assertEqual("no-cache", page.headers["cache-control"])

    def test_unchanged_pages_are_not_sent_again(self) -> None:
        tag = self.browser.get("/ui/").headers["etag"]
        for known in (tag, f'W/"x", {tag}', "*"):
            again = self.browser.get("/ui/", headers={"If-None-Match": known})
            self.assertEqual((304, b""), (again.status, again.body))
        other = self.browser.get("/ui/", headers={"If-None-Match": '"x"'})
        self.assertEqual(200, other.status)

    def script(self, accept: str) -> Response:
        path = "/ui/assets/main-abc123.js"
        return self.browser.get(path, headers={"Accept-Encoding": accept})

    def test_compressed_for_those_who_take_it(self) -> None:
        for accept in ("gzip", "br, gzip;q=0.5", "deflate,GZIP"):
            packed = self.script(accept)
            self.assertEqual("gzip", packed.headers["content-encoding"], accept)
            self.assertEqual(SCRIPT, gzip.decompress(packed.body))
        for accept in ("identity", "gzip;q=0", "gzip; q=0.000", "br"):
            plain = self.script(accept)
            self.assertNotIn("content-encoding", plain.headers, accept)
            self.assertEqual(SCRIPT, plain.body)
        self.assertEqual("Accept-Encoding", packed.headers["vary"])
        self.assertNotEqual(packed.headers["etag"], plain.headers["etag"])


class SafetyTests(UiCase):
    def test_nothing_outside_is_served(self) -> None:
        secret = self.directory.parent / f"{self.directory.name}-secret"
        secret.write_bytes(b"secret")
        self.addCleanup(secret.unlink)
        os.symlink(secret.resolve(), self.directory / "link.txt")
        self.write(".hidden", b"hidden")
        self.browser = self.serve()
        for path in (
            f"/ui/../{secret.name}",
            f"/ui/%2e%2e/{secret.name}",
            f"/ui/..%2f{secret.name}",
            f"/ui/assets/../../{secret.name}",
            f"/ui//{secret.resolve()}",
            "/ui/link.txt",
            "/ui/.hidden",
            "/ui/assets/",
            "/ui/assets",
            "/ui/index.html/",
            "/ui/index.html%00",
            "/ui/%ff%fe",
        ):
            page = self.browser.get(path)
            self.assertEqual(404, page.status, path)
            self.assertNotIn(b"secret", page.body)
            self.assertIn(b'<a href="/ui/">', page.body)

    def test_every_answer_has_the_security_headers(self) -> None:
        for path in ("/ui", "/ui/", "/ui/nothing", "/ui/assets/main-abc123.js"):
            headers = self.browser.get(path).headers
            policy = headers["content-security-policy"]
            self.assertNotIn("unsafe", policy)
            for wanted in (
                "script-src 'self'",
                "style-src 'self'",
                "object-src 'none'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ):
                self.assertIn(wanted, policy, path)
            self.assertEqual("nosniff", headers["x-content-type-options"])
            self.assertEqual("no-referrer", headers["referrer-policy"])

    def test_other_origins_of_consoles(self) -> None:
        policy = (
            self.serve("wss://c.example").get("/ui/").headers["content-security-policy"]
        )
        self.assertIn("connect-src 'self' wss://c.example;", policy)

    def test_a_wrong_directory_is_refused(self) -> None:
        self.patch(static, "MAX_BYTES", 1000)
        self.assertRaises(TooLarge, self.serve)


class UnbuiltTests(SynchronousTestCase):
    def test_without_pages_one_says_how(self) -> None:
        root = Resource()
        root.putChild(b"ui", resource(Path(self.mktemp())))
        browser = Browser(root)
        for path in ("/ui/", "/ui/console.html"):
            page = browser.get(path)
            self.assertEqual(200, page.status)
            self.assertIn(b"make web", page.body)
            self.assertIn("content-security-policy", page.headers)
            self.assertNotIn(b"style", page.body)
        self.assertEqual(404, browser.get("/ui/other").status)

    def test_where_the_pages_are(self) -> None:
        self.assertEqual("dist", built_pages().name)
