"""Whatever comes over the wire: an answer in the dialect's form, never a 500."""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from attrs import frozen

from tests.functional import things
from tests.functional.badinput import BROKEN, HEADERS, NOT_JSON, QUERIES, TAILS
from tests.functional.daemon import Client, Daemon, running
from tests.functional.rawhttp import Raw, ask, head, sized

NOT_SERVED = 501
"""What is said to calls that the cloud knows and will not serve."""

EASY = ("/account/v1.0/user_catalogs", "/account/v1.0/tokens")
"""Paths whose bodies may be any JSON object."""
FINE = (("/identity/v2.0/tokens", b""), ("/os/image/v2/images", b"{}"))
"""Where a body is enough that would not do elsewhere."""


def keystone(body: Any) -> None:
    """Identity's and the image service's form."""
    assert set(body) == {"error"} and set(body["error"]) == {
        "code", "title", "message",
    }, body  # fmt: skip


def nova(body: Any) -> None:
    """Compute's form."""
    [(_, fault)] = body.items()
    assert set(fault) == {"code", "message"}, body


def neutron(body: Any) -> None:
    """Network's form."""
    assert set(body["NeutronError"]) == {"type", "message", "detail"}, body


def synnefo(body: Any) -> None:
    """The form of all of Synnefo's mounts."""
    [(_, fault)] = body.items()
    assert set(fault) == {"code", "message", "details"}, body


def admin(body: Any) -> None:
    """The form of the admin API."""
    assert set(body) == {"error"} and set(body["error"]) == {
        "code", "status", "message", "hint", "details", "request_id",
    }, body  # fmt: skip


def oauth2(body: Any) -> None:
    """OAuth2's form: its word, and ours."""
    assert set(body) == {"error", "exception"}, body


@frozen
class Mounted:
    """A mount: something to read there, something to post, and its faults.

    :ivar form: looks at a fault's JSON; None where faults are plain text.
    :ivar open: whether it is read without a token.
    :ivar kept: whether an ordinary user's token does not read it.
    """

    read: str
    post: str
    form: Callable[[Any], None] | None
    open: bool = False
    kept: bool = False

    def check(self, answer: Raw) -> None:
        """The body of ``answer`` is a fault of this mount."""
        if self.form is None:
            assert answer.headers["content-type"].startswith("text/plain"), answer
            assert answer.body.endswith(b"\n"), answer
        else:
            assert answer.headers["content-type"].startswith("application/json")
            self.form(json.loads(answer.body))


def of_accounts() -> Iterator[Mounted]:
    """What people do with their accounts, and administrators with all."""
    account = "/account/v1.0"
    for read, post in (
        ("profile", "signup"),
        ("tokens", "tokens"),
        ("sessions", "signup/resend"),
        ("second_factor", "second_factor/confirm"),
        ("login_methods/own", "login"),
        ("service_quotas", "commissions"),
        ("session", "email"),
    ):
        kept = read in ("service_quotas", "session")
        yield Mounted(f"{account}/{read}", f"{account}/{post}", synnefo, kept=kept)
    reset = f"{account}/password/reset"
    yield Mounted("/weblogin/login", reset, synnefo, True)
    yield Mounted("/oauth2/auth", "/oauth2/token", oauth2, True)
    for name in ("users", "projects", "quotas", "groups"):
        yield Mounted(f"/admin/v1/{name}", f"/admin/v1/{name}", admin, kept=True)


def mounts(client: Client) -> Iterator[Mounted]:
    """Every mount of every dialect."""
    swift = f"/v1/AUTH_{client.project}"
    pithos = f"/object-store/v1/{client.project}"
    yield Mounted("/identity/v3/projects", "/identity/v3/auth/tokens", keystone)
    yield Mounted("/os/image/v2/images", "/os/image/v2/images", keystone)
    for path in ("/os/compute/v2.1/servers", "/os/compute/v2.1/os-keypairs"):
        yield Mounted(path, path, nova)
    for name in ("networks", "subnets", "ports", "floatingips"):
        path = f"/os/network/v2.0/{name}"
        yield Mounted(path, path, neutron)
    yield Mounted("/account/v1.0/quotas", "/account/v1.0/user_catalogs", synnefo)
    for path in ("/account/v1.0/projects", "/account/v1.0/projects/memberships"):
        yield Mounted(path, path, synnefo)
    yield Mounted("/identity/v2.0/tokens/x", "/identity/v2.0/tokens", synnefo, True)
    yield from of_accounts()
    for path in (
        "/compute/v2.0/servers",
        "/compute/v2.0/os-keypairs",
        "/network/v2.0/networks",
        "/network/v2.0/subnets",
        "/network/v2.0/ports",
        "/network/v2.0/floatingips",
    ):
        yield Mounted(path, path, synnefo)
    yield Mounted(swift, f"{swift}/c/o", None)
    yield Mounted(pithos, f"{pithos}/c/o", synnefo)


@pytest.mark.xdist_group("daemon")
@pytest.mark.rig("pocket")
class BadInputTests(unittest.TestCase):
    """One daemon; after each test its log holds no complaint."""

    daemon: ClassVar[Daemon]
    client: ClassVar[Client]
    token: ClassVar[bytes]

    @classmethod
    def setUpClass(cls) -> None:
        """Start it, and give its user one of everything."""
        cls.daemon = cls.enterClassContext(running())
        cls.client = cls.daemon.client()
        cls.token = cls.client.token.encode()
        things.make(cls.client)

    def tearDown(self) -> None:
        """Nothing in the log that nobody expected."""
        self.assertEqual([], list(self.daemon.complaints()))

    def refused(self, mount: Mounted, request: bytes, *, allowed: int = 399) -> None:
        """Refused as the mount does, or (up to ``allowed``) taken."""
        answer = ask(self.daemon.port, request)
        if 200 <= answer.status <= allowed:
            return
        with self.subTest(request[:200]):
            told = 400 <= answer.status < 500 or answer.status == NOT_SERVED
            self.assertTrue(told, answer)
            mount.check(answer)

    def test_bodies_that_are_none(self) -> None:
        for mount in mounts(self.client):
            if mount.form is None or "object-store" in mount.post:
                continue
            for body in NOT_JSON:
                request = sized(b"POST", mount.post.encode(), body, token=self.token)
                taken = (mount.post, body) in FINE or mount.post in EASY
                self.refused(mount, request, allowed=299 if taken else 0)

    def test_bodies_of_another_kind(self) -> None:
        kinds = (
            b"text/plain", b"application/xml", b"multipart/form-data",
            b"multipart/form-data; boundary=x", b"application/x-www-form-urlencoded",
        )  # fmt: skip
        for mount in mounts(self.client):
            if mount.form is None or "object-store" in mount.post:
                continue
            for kind in kinds:
                request = sized(
                    b"POST", mount.post.encode(), b"a=b", token=self.token, kind=kind
                )
                self.refused(mount, request, allowed=0)

    def test_bodies_that_are_too_long(self) -> None:
        for mount in mounts(self.client):
            if mount.form is None or "object-store" in mount.post:
                continue
            path, more = mount.post.encode(), b"Content-Type: application/json\r\n"
            long = more + b"Content-Length: 50000000\r\n"
            self.refused(mount, head(b"POST", path, long, b"{", token=self.token))
            chunked = more + b"Transfer-Encoding: chunked\r\n"
            chunk = b"200000\r\n" + b" " * 0x200000
            self.refused(mount, head(b"POST", path, chunked, chunk, token=self.token))

    def test_queries(self) -> None:
        for mount in mounts(self.client):
            for query in QUERIES:
                path = mount.read.encode() + b"?" + query
                self.refused(mount, head(b"GET", path, token=self.token))

    def test_paths(self) -> None:
        for mount in mounts(self.client):
            for tail in TAILS:
                for method in (b"GET", b"DELETE", b"PUT", b"FROB"):
                    path = mount.read.encode() + tail
                    request = head(
                        method, path, b"Content-Length: 0\r\n", token=self.token
                    )
                    self.refused(mount, request)

    def test_headers(self) -> None:
        for mount in mounts(self.client):
            for line in HEADERS:
                if b"Transfer" in line:
                    continue
                request = head(
                    b"GET", mount.read.encode(), line + b"\r\n", token=self.token
                )
                self.refused(mount, request)

    def test_tokens(self) -> None:
        for mount in mounts(self.client):
            if mount.open:
                continue
            for token in (b"", b"x", b"\xff", b"a" * 9000, b"'--", b"%00", b" "):
                answer = ask(
                    self.daemon.port, head(b"GET", mount.read.encode(), token=token)
                )
                with self.subTest(mount.read, token=token[:9]):
                    expected = (400,) if token == b"\xff" else (401,)
                    self.assertIn(answer.status, expected)
                    mount.check(answer)

    def test_a_token_that_was_ended_is_worth_nothing_anywhere(self) -> None:
        client = self.daemon.client()
        gone = {"X-Subject-Token": client.token}
        self.assertEqual(
            204, client.delete("/identity/v3/auth/tokens", headers=gone).status
        )
        for mount in mounts(client):
            if mount.open:
                continue
            request = head(b"GET", mount.read.encode(), token=client.token.encode())
            answer = ask(self.daemon.port, request)
            self.assertEqual(401, answer.status, mount.read)
            mount.check(answer)

    def test_what_is_no_request(self) -> None:
        for name, data in BROKEN.items():
            with self.subTest(name):
                self.assertEqual(400, ask(self.daemon.port, data).status)

    def test_pages_can_only_be_read(self) -> None:
        for path in (b"/", b"/ui/", b"/healthz", b"/readyz", b"/openapi/swift.json"):
            for method in (b"POST", b"PUT", b"TRACE", b"FROB"):
                request = head(method, path, b"Content-Length: 0\r\n")
                with self.subTest(path, method=method):
                    self.assertEqual(405, ask(self.daemon.port, request).status)

    def test_http_1_0(self) -> None:
        for mount in mounts(self.client):
            if mount.open or mount.kept:
                continue
            request = head(
                b"GET", mount.read.encode(), token=self.token, version=b"HTTP/1.0"
            )
            answer = ask(self.daemon.port, request)
            self.assertIn(answer.status, (200, 204), mount.read)
            self.assertNotIn("transfer-encoding", answer.headers)

    def test_a_body_that_ends_too_early_leaves_nothing(self) -> None:
        path = f"/v1/AUTH_{self.client.project}/{things.CONTAINER}/half".encode()
        request = head(
            b"PUT", path, b"Content-Length: 500\r\n", b"half", token=self.token
        )
        ask(self.daemon.port, request, close=True)
        self.assertEqual(404, self.client.get(path.decode()).status)
