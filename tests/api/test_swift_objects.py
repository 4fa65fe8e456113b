"""Objects in the Swift dialect, through a whole site in memory."""

from __future__ import annotations

from hashlib import md5
from typing import Any

from attrs import evolve

from snfd.objects.service.checksums import AT_ONCE
from tests.api.objectcloud import BLOCK, ObjectCloudCase
from tests.api.wire import Reply


class SwiftCase(ObjectCloudCase):
    """The container ``c`` of A."""

    def setUp(self) -> None:
        super().setUp()
        self.base = f"/v1/AUTH_{self.a.user}"
        self.c = f"{self.base}/c"
        self.assertEqual(201, self.wire.put(self.c).status)

    def upload(self, name: str, data: bytes = b"hello", **headers: Any) -> Reply:
        """An object ``name``, which must succeed."""
        made = self.wire.put(f"{self.c}/{name}", data, **headers)
        self.assertEqual(201, made.status, made.body)
        return made

    def head(self, path: str) -> dict[str, str]:
        """The headers of what is there."""
        found = self.wire.request("HEAD", path)
        self.assertIn(found.status, (200, 204))
        return dict(found.headers)


class PutTests(SwiftCase):
    def test_pithos_18_the_etag_is_the_md5(self) -> None:
        made = self.upload("o", content_type="text/plain")
        self.assertEqual(md5(b"hello").hexdigest(), made.headers["etag"])
        self.assertEqual("Sun, 22 Nov 2026 12:00:00 GMT", made.headers["last-modified"])
        got = self.wire.get(f"{self.c}/o")
        self.assertEqual((200, b"hello"), (got.status, got.body))
        self.assertEqual("text/plain", got.headers["content-type"])
        self.assertEqual(made.headers["etag"], got.headers["etag"])
        self.assertEqual("1795348800.00000", got.headers["x-timestamp"])

    def test_pithos_19_type_by_default_and_by_name(self) -> None:
        self.upload("o")
        shown = self.head(f"{self.c}/o")["content-type"]
        self.assertEqual("application/octet-stream", shown)
        self.upload("a.txt", content_type="x/y", x_detect_content_type="true")
        self.assertEqual("text/plain", self.head(f"{self.c}/a.txt")["content-type"])

    def test_pithos_20_wrong_md5(self) -> None:
        bad = self.wire.put(f"{self.c}/o", b"x", etag=md5(b"y").hexdigest())
        self.assertEqual(422, bad.status)
        self.assertEqual(404, self.wire.get(f"{self.c}/o").status)
        self.upload("o", b"x", etag=md5(b"x").hexdigest())

    def test_pithos_21_missing_container(self) -> None:
        bad = self.wire.put(f"{self.base}/none/o", b"x")
        self.assertEqual(404, bad.status)
        self.assertEqual("text/plain; charset=utf-8", bad.headers["content-type"])
        self.assertTrue(bad.text.startswith("Not Found: "))

    def test_length_is_required(self) -> None:
        protocol, transport = self.wire.connect()
        protocol.dataReceived(self.wire.head("PUT", f"{self.c}/o", {}))
        self.assertIn(b" 411 ", transport.value().split(b"\r\n")[0])

    def test_pithos_45_create_only(self) -> None:
        self.upload("o", if_none_match="*")
        self.assertEqual(
            412, self.wire.put(f"{self.c}/o", b"x", if_none_match="*").status
        )

    def test_pithos_98_chunked(self) -> None:
        data = b"a" * BLOCK + b"xyz"
        made = self.upload("o", data, chunked=True)
        self.assertEqual(md5(data).hexdigest(), made.headers["etag"])
        self.upload("empty", b"", chunked=True)
        self.assertEqual("0", self.head(f"{self.c}/empty")["content-length"])

    def test_an_upload_too_long_is_refused_before_it_comes(self) -> None:
        protocol, transport = self.wire.connect()
        size = {"Content-Length": str(5 * 1024**3 + 1)}
        protocol.dataReceived(self.wire.head("PUT", f"{self.c}/o", size))
        self.assertIn(b" 413 ", transport.value().split(b"\r\n")[0])

    def test_later_features_are_refused_not_ignored(self) -> None:
        for header in ("x_delete_after", "x_object_manifest", "x_symlink_target"):
            bad = self.wire.put(f"{self.c}/o", b"x", **{header: "5"})
            self.assertEqual(501, bad.status)
        slo = self.wire.put(f"{self.c}/o?multipart-manifest=put", b"[]")
        self.assertEqual(501, slo.status)
        acl = self.wire.post(self.c, x_container_read=".r:*")
        self.assertEqual(501, acl.status)

    def test_overwriting_keeps_no_history(self) -> None:
        for data in (b"one", b"three"):
            self.upload("o", data)
        versions = self.result(self.db.read("SELECT size FROM store.version"))
        self.assertEqual([(5,)], versions)


class MetaTests(SwiftCase):
    def test_metadata_is_utf8(self) -> None:
        self.upload("o", x_object_meta_colour="grün", content_encoding="gzip")
        shown = self.head(f"{self.c}/o")
        self.assertEqual("grün".encode(), shown["x-object-meta-colour"].encode("latin"))
        self.assertEqual("gzip", shown["content-encoding"])
        bad = self.wire.put(f"{self.c}/o", b"", x_object_meta_colour=b"\xff")
        self.assertEqual(400, bad.status)

    def test_a_post_replaces_the_users_metadata_alone(self) -> None:
        self.upload("o", x_object_meta_a="1", content_encoding="gzip")
        path = f"{self.c}/o"
        sent = self.wire.post(path, x_object_meta_b="2", content_type="text/x")
        self.assertEqual(202, sent.status)
        shown = self.head(path)
        self.assertNotIn("x-object-meta-a", shown)
        self.assertEqual("2", shown["x-object-meta-b"])
        self.assertEqual("gzip", shown["content-encoding"])
        self.assertEqual("text/x", shown["content-type"])
        self.wire.post(path, content_encoding="")
        self.assertNotIn("content-encoding", self.head(path))
        self.assertEqual(404, self.wire.post(f"{self.c}/none").status)

    def test_bounds(self) -> None:
        many = {f"x_object_meta_k{number}": "v" for number in range(91)}
        for headers in (
            many,
            {"x_object_meta_" + "k" * 129: "v"},
            {"x_object_meta_k": "v" * 257},
            {f"x_object_meta_k{number}": "v" * 250 for number in range(20)},
        ):
            self.assertEqual(400, self.wire.put(f"{self.c}/o", b"", **headers).status)

    def test_nothing_in_a_name_or_value_breaks_a_header(self) -> None:
        percent = f"/object-store/v1/{self.a.user}/c/o"
        for value in ("a%0D%0AX-Evil: 1", "a%0Ab", "a%00b"):
            bad = self.wire.put(percent, b"", content_type="a/b", x_object_meta_a=value)
            self.assertEqual(400, bad.status)
        name = "new%0D%0AX-Evil:%201"
        self.wire.put(f"/object-store/v1/{self.a.user}/c/{name}", content_type="a/b")
        got = self.wire.get(f"/object-store/v1/{self.a.user}/c/{name}")
        self.assertEqual(200, got.status)
        self.assertNotIn("x-evil", got.headers)
        copy = self.wire.request("COPY", f"{self.c}/{name}", destination="/c/x")
        self.assertEqual(201, copy.status)
        self.assertNotIn("x-evil", copy.headers)


class Md5Tests(SwiftCase):
    def test_an_object_without_md5_gets_it_before_the_reply(self) -> None:
        path = f"/object-store/v1/{self.a.user}/c/o"
        self.wire.put(path, b"hello", content_type="a/b")
        listed = self.wire.get(f"{self.c}?format=json").json
        self.assertEqual(64, len(listed[0]["hash"]))
        self.assertEqual(md5(b"hello").hexdigest(), self.head(f"{self.c}/o")["etag"])
        listed = self.wire.get(f"{self.c}?format=json").json
        self.assertEqual(md5(b"hello").hexdigest(), listed[0]["hash"])

    def test_a_large_one_shows_its_root_until_it_is_known(self) -> None:
        path = f"/object-store/v1/{self.a.user}/c/o"
        self.wire.put(path, b"hello", content_type="a/b")
        info = self.result(self.store.objects.info(self.a, self.path("o")))
        large = evolve(info, size=AT_ONCE + 1)
        self.assertIsNone(self.result(self.store.checksums.filled(large)).md5)
        again = self.result(self.store.objects.info(self.a, self.path("o")))
        self.assertIsNotNone(again.md5)

    def path(self, name: str) -> Any:
        from snfd.objects.model import ObjectPath

        return ObjectPath(self.a.user, "c", name)


class CopyTests(SwiftCase):
    def test_copy(self) -> None:
        self.upload("o", b"hello", x_object_meta_a="1", content_type="text/x")
        sent = self.wire.request(
            "COPY", f"{self.c}/o", destination="c/sub/p", x_object_meta_b="2"
        )
        self.assertEqual(201, sent.status, sent.body)
        self.assertEqual("c/o", sent.headers["x-copied-from"])
        self.assertEqual(md5(b"hello").hexdigest(), sent.headers["etag"])
        shown = self.head(f"{self.c}/sub/p")
        self.assertEqual(
            ("1", "2"), (shown["x-object-meta-a"], shown["x-object-meta-b"])
        )
        self.assertEqual("text/x", shown["content-type"])
        self.assertEqual(b"hello", self.wire.get(f"{self.c}/sub/p").body)
        self.wire.request("DELETE", f"{self.c}/o")
        self.assertEqual(b"hello", self.wire.get(f"{self.c}/sub/p").body)

    def test_put_with_x_copy_from_and_fresh_metadata(self) -> None:
        self.upload("o", x_object_meta_a="1")
        sent = self.wire.put(f"{self.c}/p", x_copy_from="/c/o", x_fresh_metadata="true")
        self.assertEqual(201, sent.status)
        self.assertNotIn("x-object-meta-a", self.head(f"{self.c}/p"))
        self.assertEqual("10", self.head(self.c)["x-container-bytes-used"])

    def test_bad_copies(self) -> None:
        self.upload("o")
        for where, status in (
            ("", 412),
            ("noslash", 412),
            ("/c/", 412),
            ("/none/x", 404),
            ("/c/%FF", 412),
        ):
            sent = self.wire.request("COPY", f"{self.c}/o", destination=where)
            self.assertEqual(status, sent.status, where)
        missing = self.wire.request("COPY", f"{self.c}/none", destination="/c/x")
        self.assertEqual(404, missing.status)
        foreign = self.wire.request(
            "COPY", f"{self.c}/o", destination="/c/x",
            destination_account=f"AUTH_{self.b.user}",
        )  # fmt: skip
        self.assertEqual(403, foreign.status)

    def test_a_copy_into_another_account_brings_the_right_to_its_blocks(self) -> None:
        self.upload("o", b"hello")
        member = evolve(self.b, projects=self.b.projects | {self.a.user})
        self.tokens["member"] = member
        self.wire.token = "member"
        self.wire.put(f"/v1/AUTH_{self.b.user}/d")
        sent = self.wire.request(
            "COPY", f"{self.c}/o", destination="/d/x",
            destination_account=f"AUTH_{self.b.user}",
        )  # fmt: skip
        self.assertEqual(201, sent.status)
        claims = self.result(self.db.read("SELECT count(*) FROM store.claim"))
        self.assertEqual([(2,)], claims)


class RightsTests(SwiftCase):
    def test_no_token(self) -> None:
        self.wire.token = None
        for method, path in (("GET", self.base), ("PUT", f"{self.c}/o")):
            bad = self.wire.request(method, path)
            self.assertEqual(401, bad.status)
            self.assertTrue(bad.headers["www-authenticate"].startswith("Swift realm="))

    def test_x_storage_token_and_bearer(self) -> None:
        self.wire.token = None
        for headers in ({"x_storage_token": "a"}, {"authorization": "Bearer a"}):
            self.assertEqual(204, self.wire.request("HEAD", self.c, **headers).status)

    def test_foreign_accounts(self) -> None:
        self.upload("o")
        self.wire.token = "b"
        for method, path in (
            ("GET", self.base), ("GET", self.c), ("GET", f"{self.c}/o"),
            ("GET", f"{self.c}/none"), ("PUT", f"{self.c}/o"), ("POST", self.base),
            ("DELETE", f"{self.c}/o"), ("COPY", f"{self.c}/o"), ("PUT", self.c),
        ):  # fmt: skip
            bad = self.wire.request(method, path, destination="/c/x")
            self.assertEqual(403, bad.status, (method, path))

    def test_a_reader_reads_and_writes_nothing(self) -> None:
        self.upload("o")
        reader = evolve(self.b, project=self.a.user, roles=frozenset({"reader"}))
        self.tokens["reader"] = evolve(reader, projects=frozenset({self.a.user}))
        self.wire.token = "reader"
        self.assertEqual(b"hello", self.wire.get(f"{self.c}/o").body)
        for method, path in (
            ("PUT", f"{self.c}/o"), ("POST", f"{self.c}/o"), ("PUT", self.c),
            ("DELETE", f"{self.c}/o"), ("COPY", f"{self.c}/o"), ("POST", self.base),
        ):  # fmt: skip
            bad = self.wire.request(method, path, destination="/c/x")
            self.assertEqual(403, bad.status, (method, path))
