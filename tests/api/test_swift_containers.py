"""Accounts, containers, paths and ``/info`` in the Swift dialect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from api.objects.swift import about
from snfd.errors import Unauthorized
from snfd.identity.model import Issued, Scope, Scoping, UserRef
from tests.api.memory import Browser
from tests.api.test_swift_objects import SwiftCase


class AccountTests(SwiftCase):
    def test_account(self) -> None:
        self.upload("o", b"12345")
        shown = self.head(self.base)
        self.assertEqual("1", shown["x-account-container-count"])
        self.assertEqual("1", shown["x-account-object-count"])
        self.assertEqual("5", shown["x-account-bytes-used"])
        self.assertEqual("c\n", self.wire.get(self.base).text)
        entry = self.wire.get(f"{self.base}?format=json").json[0]
        self.assertEqual(
            {
                "name": "c", "count": 1, "bytes": 5,
                "last_modified": "2026-11-22T12:00:00.000000",
            },
            entry,
        )  # fmt: skip
        self.assertEqual([], self.wire.get(f"{self.base}?format=json&marker=c").json)

    def test_account_metadata_merges(self) -> None:
        self.assertEqual(204, self.wire.post(self.base, x_account_meta_a="1").status)
        self.wire.post(self.base, x_account_meta_b="2")
        self.assertEqual("1", self.head(self.base)["x-account-meta-a"])
        self.wire.post(self.base, x_remove_account_meta_a="x", x_account_meta_b="")
        shown = self.head(self.base)
        self.assertNotIn("x-account-meta-a", shown)
        self.assertNotIn("x-account-meta-b", shown)

    def test_fresh_account(self) -> None:
        self.wire.token = "b"
        other = f"/v1/AUTH_{self.b.user}"
        self.assertEqual(204, self.wire.get(other).status)
        self.assertEqual("0", self.head(other)["x-account-container-count"])


class ContainerTests(SwiftCase):
    def test_put_head_delete(self) -> None:
        self.assertEqual(202, self.wire.put(self.c).status)
        self.upload("o", b"12345")
        shown = self.head(self.c)
        self.assertEqual("1", shown["x-container-object-count"])
        self.assertEqual("5", shown["x-container-bytes-used"])
        self.assertEqual(409, self.wire.request("DELETE", self.c).status)
        self.assertEqual(204, self.wire.request("DELETE", f"{self.c}/o").status)
        self.assertEqual(404, self.wire.request("DELETE", f"{self.c}/o").status)
        self.assertEqual(204, self.wire.request("DELETE", self.c).status)
        self.assertEqual(404, self.wire.request("DELETE", self.c).status)

    def test_pithos_111_metadata_merges(self) -> None:
        self.assertEqual(204, self.wire.post(self.c, x_container_meta_a="1").status)
        self.wire.post(self.c, x_container_meta_b="2")
        shown = self.head(self.c)
        self.assertEqual("1", shown["x-container-meta-a"])
        self.assertEqual("2", shown["x-container-meta-b"])
        self.wire.post(self.c, x_remove_container_meta_a="x")
        self.assertNotIn("x-container-meta-a", self.head(self.c))
        self.assertEqual(404, self.wire.post(f"{self.base}/none").status)

    def test_pithos_74_listings(self) -> None:
        for name in ("a", "d/x", "d/y", "e/", "f"):
            self.upload(name, b"")
        for query, names in (
            ("", "a d/x d/y e/ f"),
            ("delimiter=/", "a d/ e/ f"),
            ("prefix=d&delimiter=/", "d/"),
            ("prefix=d/&delimiter=/", "d/x d/y"),
            ("limit=2", "a d/x"),
            ("limit=0", ""),
            ("marker=d/x&end_marker=f", "d/y e/"),
            ("marker=d/&delimiter=/", "e/ f"),
            ("path=d", "d/x d/y"),
        ):
            found = self.wire.get(f"{self.c}?{query}")
            self.assertEqual(names.split(), found.text.split(), query)
        self.assertEqual(412, self.wire.get(f"{self.c}?limit=10001").status)

    def test_formats(self) -> None:
        self.upload("d/x", b"hello", content_type="a/b")
        self.upload("o<&>", b"", content_type="a/b")
        entries = self.wire.get(f"{self.c}?format=json&delimiter=/").json
        self.assertEqual({"subdir": "d/"}, entries[0])
        self.assertEqual(
            {
                "name": "o<&>", "bytes": 0, "content_type": "a/b",
                "hash": "d41d8cd98f00b204e9800998ecf8427e",
                "last_modified": "2026-11-22T12:00:00.000000",
            },
            entries[1],
        )  # fmt: skip
        shown = self.wire.get(self.c, accept="text/xml")
        self.assertEqual(
            "application/xml; charset=utf-8", shown.headers["content-type"]
        )
        self.assertIn("<object><name>o&lt;&amp;&gt;</name>", shown.text)
        as_json = self.wire.get(self.c, accept="application/json")
        self.assertEqual(2, len(as_json.json))
        self.wire.put(f"{self.base}/e")
        self.assertEqual(204, self.wire.get(f"{self.base}/e").status)
        self.assertEqual([], self.wire.get(f"{self.base}/e?format=json").json)

    def test_versioning_on_demand(self) -> None:
        self.wire.post(self.c, x_versions_enabled="true")
        for data in (b"one", b"two"):
            self.upload("o", data)
        versions = self.result(self.db.read("SELECT count(*) FROM store.version"))
        self.assertEqual([(2,)], versions)


class PathTests(SwiftCase):
    def test_bad_paths_are_412(self) -> None:
        for path in (
            f"{self.c}/%00",
            f"{self.c}/%FF",
            f"{self.c}/%C0%AF",
            f"{self.base}/a%2Fb",
            f"{self.base}/{'x' * 257}",
            f"{self.c}/{'x' * 1025}",
            f"{self.base}//o",
        ):
            for method in ("GET", "PUT", "DELETE"):
                bad = self.wire.request(method, path)
                self.assertEqual(412, bad.status, (method, path))

    def test_accounts_that_are_none(self) -> None:
        for account in ("x", str(self.a.user), "AUTH_", "AUTH_x", "AUTH_%2e%2e"):
            self.assertEqual(403, self.wire.get(f"/v1/{account}/c").status)
            self.assertEqual(403, self.wire.put(f"/v1/{account}/c/o", b"x").status)

    def test_both_dialects_show_one_account(self) -> None:
        self.upload("..%2F..%2Fo//p", b"spam")
        other = f"/object-store/v1/{self.a.user}/c/..%2F../o//p"
        self.assertEqual(b"spam", self.wire.get(other).body)

    def test_methods(self) -> None:
        bad = self.wire.request("PATCH", self.c)
        self.assertEqual(405, bad.status)
        self.assertIn("DELETE", bad.headers["allow"])

    def test_every_answer_has_a_transaction_id(self) -> None:
        self.assertIn("x-trans-id", self.wire.get(self.c).headers)
        self.assertIn("x-trans-id", self.wire.get(f"{self.base}/none").headers)


class StubIdentity:
    """Knows one password."""

    def __init__(self, token: Any) -> None:
        self.token = token
        self.asked: list[tuple[UserRef, Scope]] = []

    async def login(
        self, user: UserRef, password: str, scope: Scope, *, address: str
    ) -> Issued:
        """A token for whoever says ``right``."""
        self.asked.append((user, scope))
        if password != "right":
            raise Unauthorized("no")
        return Issued("s3cret", self.token)


class AboutTests(SynchronousTestCase):
    def test_pithos_110_info(self) -> None:
        async def nobody(token: str | None) -> Any:
            raise Unauthorized("no")

        found = Browser(about.build_info(nobody)).get("/")
        self.assertEqual(200, found.status)
        self.assertEqual(["swift"], list(found.json))
        self.assertEqual(5 * 1024**3, found.json["swift"]["max_file_size"])

    def test_login(self) -> None:
        from types import SimpleNamespace
        from uuid import UUID

        from tests.objects.people import LONG_AGO

        clock = Clock()
        clock.advance(LONG_AGO.timestamp())
        token = SimpleNamespace(
            expires=LONG_AGO + timedelta(hours=1),
            project=SimpleNamespace(uuid=UUID(int=5)),
        )
        identity = StubIdentity(token)

        async def nobody(token: str | None) -> Any:
            raise Unauthorized("no")

        resource = about.build_login(
            identity,  # type: ignore[arg-type]
            clock,
            nobody,
            "http://cloud.test/v1",
        )
        browser = Browser(resource)
        found = browser.get(
            "/", headers={"X-Auth-User": "demo:ann", "X-Auth-Key": "right"}
        )
        self.assertEqual(200, found.status)
        self.assertEqual("s3cret", found.headers["x-auth-token"])
        self.assertEqual("3600", found.headers["x-auth-token-expires"])
        self.assertEqual(
            f"http://cloud.test/v1/AUTH_{UUID(int=5)}", found.headers["x-storage-url"]
        )
        self.assertEqual(
            [(UserRef("ann"), Scope(Scoping.PROJECT, "demo"))], identity.asked
        )
        for headers in (
            {},
            {"X-Auth-User": "demo:ann"},
            {"X-Auth-User": "ann", "X-Auth-Key": "wrong"},
        ):
            self.assertEqual(401, browser.get("/", headers=headers).status)
