"""Objects in the Pithos dialect, through a whole site in memory."""

from __future__ import annotations

import json
from hashlib import md5
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from storage import hashmap
from tests.api.objectcloud import BLOCK, ObjectCloudCase
from tests.api.wire import Reply, parsed

VECTORS = Path(__file__).parent.parent / "vectors" / "pithos-hash-vectors.json"

H0 = hashmap.EMPTY.hex()


def blocks(letters: str) -> bytes:
    """A block of each letter."""
    return b"".join(letter.encode() * BLOCK for letter in letters)


def leaf(letter: str) -> str:
    """Hash of a block of one letter."""
    return hashmap.block_hash(letter.encode() * BLOCK).hex()


class PithosCase(ObjectCloudCase):
    """The container ``c`` of A."""

    def setUp(self) -> None:
        super().setUp()
        self.base = f"/object-store/v1/{self.a.user}"
        self.c = f"{self.base}/c"
        self.assertEqual(201, self.wire.put(self.c).status)

    def upload(self, name: str, data: Any = b"hello", **headers: Any) -> Reply:
        """An object ``name``, which must succeed."""
        headers.setdefault("content_type", "text/plain")
        made = self.wire.put(f"{self.c}/{name}", data, **headers)
        self.assertEqual(201, made.status, made.body)
        return made

    def claim(self, name: str, body: Any) -> Reply:
        """``PUT ?hashmap``."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.wire.put(f"{self.c}/{name}?hashmap&format=json", raw)

    def post(self, data: bytes, container: str | None = None, **headers: Any) -> Reply:
        """Blocks without a name."""
        headers.setdefault("content_type", "application/octet-stream")
        path = f"{container or self.c}?update&format=json"
        return self.wire.post(path, data, **headers)

    def fault(self, status: int, name: str, reply: Reply) -> None:
        """``reply`` is a fault of that kind."""
        self.assertEqual(status, reply.status, reply.body)
        self.assertEqual([name], list(reply.json))
        self.assertEqual(status, reply.json[name]["code"])


class PutTests(PithosCase):
    def test_pithos_18_put(self) -> None:
        made = self.upload("obj")
        root = hashmap.block_hash(b"hello").hex()
        self.assertEqual(root, made.headers["etag"])
        self.assertEqual(root, made.headers["x-object-hash"])
        int(made.headers["x-object-version"])
        got = self.wire.get(f"{self.c}/obj")
        self.assertEqual((200, b"hello"), (got.status, got.body))
        self.assertEqual("text/plain", got.headers["content-type"])
        self.assertEqual("nosniff", got.headers["x-content-type-options"])
        self.assertEqual("sandbox", got.headers["content-security-policy"])

    def test_pithos_19_without_content_type(self) -> None:
        self.fault(411, "lengthRequired", self.wire.put(f"{self.c}/o", b"x"))

    def test_pithos_20_wrong_md5(self) -> None:
        wrong = md5(b"other").hexdigest()
        for etag, status in (
            (wrong, 422),
            ("0" * 64, 422),
            ("nonsense", 422),
        ):
            bad = self.wire.put(
                f"{self.c}/o", b"hello", content_type="text/plain", etag=etag
            )
            self.assertEqual(status, bad.status)
            self.assertEqual(404, self.wire.get(f"{self.c}/o").status)
        self.upload("o", etag=md5(b"hello").hexdigest())
        self.upload("o", etag=hashmap.block_hash(b"hello").hex())

    def test_pithos_21_missing_container(self) -> None:
        bad = self.wire.put(f"{self.base}/none/o", b"x", content_type="a/b")
        self.fault(404, "itemNotFound", bad)

    def test_pithos_22_empty(self) -> None:
        self.upload("e", b"")
        head = self.wire.request("HEAD", f"{self.c}/e")
        self.assertEqual("0", head.headers["content-length"])
        self.assertEqual(H0, head.headers["x-object-hash"])
        found = self.wire.get(f"{self.c}/e?hashmap").json
        self.assertEqual((0, [H0]), (found["bytes"], found["hashes"]))
        self.assertEqual(b"", self.wire.get(f"{self.c}/e").body)

    def test_pithos_45_create_only(self) -> None:
        self.upload("o", if_none_match="*")
        again = self.wire.put(
            f"{self.c}/o", b"other", content_type="a/b", if_none_match="*"
        )
        self.fault(412, "preconditionFailed", again)
        self.assertEqual(b"hello", self.wire.get(f"{self.c}/o").body)

    def test_pithos_61_container_quota(self) -> None:
        self.wire.post(f"{self.c}?update", x_container_policy_quota="100")
        bad = self.wire.put(f"{self.c}/o", bytes(101), content_type="a/b")
        self.fault(413, "requestEntityTooLarge", bad)
        chunked = self.wire.put(
            f"{self.c}/o", bytes(101), content_type="a/b", chunked=True
        )
        self.assertEqual(413, chunked.status)
        self.assertEqual(404, self.wire.get(f"{self.c}/o").status)

    def test_pithos_65_metadata_is_percent_encoded(self) -> None:
        head: dict[str, Any] = {"X-Object-Meta-%CE%B1_": "%CE%B2"}
        self.upload("o", **head)
        shown = self.wire.request("HEAD", f"{self.c}/o").headers
        self.assertEqual("%CE%B2", shown["x-object-meta-%ce%91"])
        bad = self.wire.put(
            f"{self.c}/o", b"x", content_type="a/b", x_object_meta_a="β"
        )
        self.assertEqual(400, bad.status)

    def test_pithos_66_tildes_stay(self) -> None:
        self.upload("o", x_object_meta_a="a~b", x_object_meta_b="1")
        self.wire.post(f"{self.c}/o?update", x_object_meta_b="~")
        shown = self.wire.request("HEAD", f"{self.c}/o").headers
        self.assertEqual("a~b", shown["x-object-meta-a"])
        self.assertNotIn("x-object-meta-b", shown)

    def test_pithos_98_chunked(self) -> None:
        data = blocks("ab") + b"xyz"
        made = self.upload("o", data, chunked=True)
        leaves = [
            hashmap.block_hash(data[at : at + BLOCK])
            for at in range(0, len(data), BLOCK)
        ]
        self.assertEqual(hashmap.root(leaves).hex(), made.headers["etag"])
        self.assertEqual(data, self.wire.get(f"{self.c}/o").body)

    def test_pithos_99_a_client_that_vanishes(self) -> None:
        protocol, _ = self.wire.connect()
        head = self.wire.head(
            "PUT", f"{self.c}/o", {"Content-Type": "a/b", "Content-Length": "100"}
        )
        protocol.dataReceived(head + b"half")
        protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(404, self.wire.get(f"{self.c}/o").status)
        shown = self.wire.request("HEAD", self.c).headers
        self.assertEqual("0", shown["x-container-bytes-used"])

    def test_the_body_is_asked_for_only_after_the_checks(self) -> None:
        for path, expected in ((f"{self.c}/o", 100), (f"{self.base}/none/o", 404)):
            protocol, transport = self.wire.connect()
            head = self.wire.head(
                "PUT",
                path,
                {
                    "Content-Type": "a/b",
                    "Content-Length": "5",
                    "Expect": "100-continue",
                },
            )
            protocol.dataReceived(head)
            status = int(transport.value().split()[1])
            self.assertEqual(expected, status)
            if status == 100:
                transport.clear()
                protocol.dataReceived(b"hello")
                self.assertEqual(201, parsed(transport.value(), "PUT").status)

    def test_pithos_103_the_same_content_twice_is_stored_once(self) -> None:
        self.upload("o", b"same")
        self.wire.token = "b"
        other = f"/object-store/v1/{self.b.user}"
        self.wire.put(f"{other}/c")
        self.wire.put(f"{other}/c/o", b"same", content_type="a/b")
        self.assertEqual(1, len(self.blocks._stored))
        self.assertEqual(b"same", self.wire.get(f"{other}/c/o").body)

    def test_later_features_are_refused_not_ignored(self) -> None:
        for header in ("x_object_sharing", "x_object_public", "x_object_manifest"):
            bad = self.wire.put(
                f"{self.c}/o", b"", content_type="a/b", **{header: "read=*"}
            )
            self.assertEqual(501, bad.status)
        self.upload("o")
        for method, query in (
            ("DELETE", "o?until=5"),
            ("DELETE", "o?delimiter=/"),
            ("GET", "o?version=list"),
            ("GET", "?until=5"),
            ("DELETE", "?delimiter=/"),
        ):
            path = f"{self.c}/{query}".replace("/?", "?")
            self.assertEqual(501, self.wire.request(method, path).status, query)
        self.assertEqual(b"hello", self.wire.get(f"{self.c}/o").body)


class VectorTests(PithosCase):
    def test_pithos_23_vectors(self) -> None:
        for number, (recipe, data) in enumerate(
            (
                ("'a'", b"a"),
                ("1 zero byte", b"\0"),
                ("1 block of 'a'", blocks("a")),
                ("block of 'a' + 'b'", blocks("a") + b"b"),
                ("3 blocks a,b,c", blocks("abc")),
                ("2 blocks of zeros", bytes(2 * BLOCK)),
            )
        ):
            wanted = self.vector(data)
            made = self.upload(f"v{number}", data)
            self.assertEqual(wanted["root"], made.headers["x-object-hash"], recipe)
            got = self.wire.get(f"{self.c}/v{number}")
            self.assertEqual(data, got.body)
            found = self.wire.get(f"{self.c}/v{number}?hashmap").json
            self.assertEqual(wanted["leaves"], found["hashes"])
            swift = self.wire.request("HEAD", f"/v1/AUTH_{self.a.user}/c/v{number}")
            self.assertEqual(wanted["md5"], swift.headers["etag"])

    def vector(self, data: bytes) -> dict[str, Any]:
        """The vector that has the MD5 of ``data``."""
        wanted = md5(data).hexdigest()
        for one in json.loads(VECTORS.read_text())["vectors"]:
            if one["md5"] == wanted:
                found: dict[str, Any] = one
                return found
        raise AssertionError("no such vector")


class HashmapTests(PithosCase):
    def test_pithos_24_and_25_hashmap(self) -> None:
        self.upload("o", blocks("abc"))
        found = self.wire.get(f"{self.c}/o?hashmap&format=json").json
        self.assertEqual(
            {
                "block_size": BLOCK,
                "block_hash": "sha256",
                "bytes": 3 * BLOCK,
                "hashes": [leaf("a"), leaf("b"), leaf("c")],
            },
            found,
        )
        shown = self.wire.get(f"{self.c}/o?hashmap&format=xml").text
        self.assertIn(f'bytes="{3 * BLOCK}"', shown)
        self.assertEqual(3, shown.count("<hash>"))

    def test_pithos_26_to_30_kamakis_upload(self) -> None:
        wanted = {"bytes": 2 * BLOCK, "hashes": [leaf("a"), leaf("b")]}
        missing = self.claim("o", wanted)
        self.assertEqual((409, wanted["hashes"]), (missing.status, missing.json))
        twice = self.claim("o", {"bytes": 2 * BLOCK, "hashes": [leaf("a")] * 2})
        self.assertEqual((409, [leaf("a")]), (twice.status, twice.json))
        posted = self.post(blocks("a"))
        self.assertEqual((202, [leaf("a")]), (posted.status, posted.json))
        posted = self.post(blocks("ab") + b"x")
        x = hashmap.block_hash(b"x").hex()
        self.assertEqual([leaf("a"), leaf("b"), x], posted.json)
        made = self.claim("o", wanted)
        self.assertEqual(201, made.status)
        self.assertEqual(blocks("ab"), self.wire.get(f"{self.c}/o").body)
        again = self.claim("o", wanted)
        self.assertEqual(201, again.status)
        self.assertEqual(made.headers["etag"], again.headers["etag"])

    def test_pithos_31_bad_hashmaps(self) -> None:
        one = [leaf("a")]
        bodies: tuple[Any, ...] = (
            {"bytes": BLOCK + 1, "hashes": one},
            {"bytes": -1, "hashes": one},
            {"bytes": -1, "hashes": []},
            {"bytes": "5", "hashes": one},
            {"bytes": 5.5, "hashes": one},
            {"bytes": 2**70, "hashes": one},
            {"bytes": 5},
            {"bytes": 5, "hashes": ["xyz"]},
            {"bytes": 5, "hashes": [5]},
            {"bytes": 5, "hashes": one, "block_size": 5},
            {"bytes": 5, "hashes": one, "block_hash": "md5"},
            [],
            b"not json",
            b"<hashmap/>",
            b"\xff",
        )
        for body in bodies:
            self.fault(400, "badRequest", self.claim("o", body))

    def test_pithos_32_empty_hashmaps(self) -> None:
        for hashes in ([], [H0]):
            made = self.claim("o", {"bytes": 0, "hashes": hashes})
            self.assertEqual(201, made.status)

    def test_pithos_33_zeros_are_never_missing(self) -> None:
        made = self.claim("o", {"bytes": 2 * BLOCK, "hashes": [H0, H0]})
        self.assertEqual(201, made.status)
        self.assertEqual(bytes(2 * BLOCK), self.wire.get(f"{self.c}/o").body)

    def test_pithos_34_a_foreign_block(self) -> None:
        self.upload("secret", blocks("s"))
        wanted = {"bytes": BLOCK, "hashes": [leaf("s")]}
        self.wire.token = "b"
        self.c = f"/object-store/v1/{self.b.user}/c"
        self.wire.put(self.c)
        self.assertEqual(409, self.claim("o", wanted).status)
        self.post(blocks("s"))
        self.assertEqual(201, self.claim("o", wanted).status)

    def test_pithos_35_blocks_in_a_foreign_container(self) -> None:
        self.wire.token = "b"
        self.fault(403, "forbidden", self.post(b"block"))
        self.assertEqual({}, self.blocks._stored)

    def test_pithos_36_blocks_leave_the_metadata_alone(self) -> None:
        self.wire.post(f"{self.c}?update", x_container_meta_x="1")
        path = self.c
        sent = self.wire.post(path, b"block", content_type="application/octet-stream")
        self.assertEqual(202, sent.status)
        shown = self.wire.request("HEAD", self.c).headers
        self.assertEqual("1", shown["x-container-meta-x"])

    def test_a_hashmap_gets_its_md5_when_swift_asks(self) -> None:
        self.post(b"hello")
        digest = hashmap.block_hash(b"hello").hex()
        self.claim("o", {"bytes": 7, "hashes": [digest]})
        swift = self.wire.request("HEAD", f"/v1/AUTH_{self.a.user}/c/o")
        self.assertEqual(md5(b"hello\0\0").hexdigest(), swift.headers["etag"])
        self.assertEqual(b"hello\0\0", self.wire.get(f"{self.c}/o").body)


class GetTests(PithosCase):
    def setUp(self) -> None:
        super().setUp()
        self.upload("o", b"0123456789")
        self.path = f"{self.c}/o"
        self.root = hashmap.block_hash(b"0123456789").hex()
        self.md5 = md5(b"0123456789").hexdigest()

    def test_pithos_37_ranges(self) -> None:
        for asked, body, shown in (
            ("2-5", b"2345", "bytes 2-5/10"),
            ("7-", b"789", "bytes 7-9/10"),
            ("-3", b"789", "bytes 7-9/10"),
        ):
            got = self.wire.get(self.path, range=f"bytes={asked}")
            self.assertEqual((206, body), (got.status, got.body))
            self.assertEqual(shown, got.headers["content-range"])
            self.assertEqual(str(len(body)), got.headers["content-length"])

    def test_pithos_38_several_ranges(self) -> None:
        got = self.wire.get(self.path, range="bytes=0-1,8-9")
        self.assertEqual(206, got.status)
        kind, _, boundary = got.headers["content-type"].partition("; boundary=")
        self.assertEqual("multipart/byteranges", kind)
        parts = got.body.split(b"--" + boundary.encode())
        self.assertEqual(4, len(parts))
        self.assertTrue(parts[1].endswith(b"\r\n\r\n01\r\n"))
        self.assertIn(b"Content-Range: bytes 8-9/10", parts[2])
        self.assertTrue(parts[3].startswith(b"--"))

    def test_pithos_39_ranges_outside(self) -> None:
        out = self.wire.get(self.path, range="bytes=20-30")
        self.fault(416, "rangeNotSatisfiable", out)
        self.assertEqual("bytes */10", out.headers["content-range"])
        cut = self.wire.get(self.path, range="bytes=5-100")
        self.assertEqual((206, b"56789"), (cut.status, cut.body))
        junk = self.wire.get(self.path, range="bytes=x")
        self.assertEqual((200, b"0123456789"), (junk.status, junk.body))

    def test_pithos_40_if_none_match(self) -> None:
        for value, status in (
            (self.root, 304),
            (f'"{self.root}"', 304),
            (self.md5, 304),
            ("*", 304),
            ("0" * 64, 200),
        ):
            got = self.wire.get(self.path, if_none_match=value)
            self.assertEqual(status, got.status, value)
        self.assertEqual(
            self.root, self.wire.get(self.path, if_none_match="*").headers["etag"]
        )

    def test_pithos_41_if_match(self) -> None:
        for value, status in (
            ("0" * 64, 412),
            ("0" * 32, 412),
            ("*", 200),
            (f'"x", "{self.root}"', 200),
            (self.md5.upper(), 200),
        ):
            got = self.wire.get(self.path, if_match=value)
            self.assertEqual(status, got.status, value)

    def test_pithos_42_and_43_dates(self) -> None:
        shown = self.wire.request("HEAD", self.path).headers["last-modified"]
        self.assertEqual("Sun, 22 Nov 2026 12:00:00 GMT", shown)
        before = "Sun, 22 Nov 2026 11:00:00 GMT"
        for header, value, status in (
            ("if_modified_since", shown, 304),
            ("if_modified_since", before, 200),
            ("if_modified_since", "garbage", 200),
            ("if_unmodified_since", before, 412),
            ("if_unmodified_since", shown, 200),
        ):
            got = self.wire.get(self.path, **{header: value})
            self.assertEqual(status, got.status, (header, value))

    def test_pithos_44_if_range(self) -> None:
        date = self.wire.request("HEAD", self.path).headers["last-modified"]
        for value, status in (
            (self.root, 206),
            (self.md5, 200),
            (date, 206),
            ("0" * 64, 200),
            ("Sun, 22 Nov 2020 11:00:00 GMT", 200),
        ):
            got = self.wire.get(self.path, range="bytes=0-1", if_range=value)
            self.assertEqual(status, got.status, value)

    def test_pithos_93_disposition(self) -> None:
        for query, shown in (
            ("", 'inline; filename="o"'),
            ("?disposition-type=attachment", 'attachment; filename="o"'),
            ("?disposition-type=foo", 'inline; filename="o"'),
        ):
            got = self.wire.get(self.path + query)
            self.assertEqual(shown, got.headers["content-disposition"])

    def test_a_token_in_the_query(self) -> None:
        self.wire.token = None
        self.assertEqual(401, self.wire.get(self.path).status)
        self.assertEqual(200, self.wire.get(f"{self.path}?X-Auth-Token=a").status)
        refused = self.wire.request("DELETE", f"{self.path}?X-Auth-Token=a")
        self.assertEqual(401, refused.status)

    def test_head_has_no_body(self) -> None:
        got = self.wire.request("HEAD", self.path)
        self.assertEqual((200, b""), (got.status, got.body))
        self.assertEqual("10", got.headers["content-length"])


class MetaTests(PithosCase):
    def test_pithos_63_and_64(self) -> None:
        first = self.upload("o", x_object_meta_a="1", content_disposition="inline")
        path = f"{self.c}/o"
        changed = self.wire.post(f"{path}?update", x_object_meta_b="2")
        self.assertEqual(202, changed.status)
        shown = self.wire.request("HEAD", path).headers
        self.assertGreater(
            int(shown["x-object-version"]), int(first.headers["x-object-version"])
        )
        for name in ("x-object-uuid", "x-object-hash"):
            self.assertEqual(first.headers[name], shown[name])
        self.assertEqual(
            ("1", "2", "inline"),
            tuple(
                shown[name]
                for name in (
                    "x-object-meta-a", "x-object-meta-b", "content-disposition",
                )
            ),
        )  # fmt: skip
        self.wire.post(path, x_object_meta_c="3")
        shown = self.wire.request("HEAD", path).headers
        self.assertNotIn("x-object-meta-a", shown)
        self.assertEqual("3", shown["x-object-meta-c"])
        self.assertEqual('inline; filename="o"', shown["content-disposition"])

    def test_conditions_on_a_change(self) -> None:
        self.upload("o")
        bad = self.wire.post(f"{self.c}/o?update", x_object_meta_b="2", if_match="x")
        self.assertEqual(412, bad.status)
        bad = self.wire.request("DELETE", f"{self.c}/o", if_match="x")
        self.assertEqual(412, bad.status)

    def test_control_characters_are_refused(self) -> None:
        for header in ("x_object_meta_a", "content_disposition"):
            bad = self.wire.put(
                f"{self.c}/o",
                b"x",
                content_type="a/b",
                **{header: "a%0D%0AX-Evil: yes"},
            )
            self.assertEqual(400, bad.status)

    def test_pithos_120_what_a_sync_client_relies_on(self) -> None:
        made = self.upload("o")
        listed = self.wire.get(f"{self.c}?format=json").json[0]
        self.assertEqual(made.headers["etag"], listed["x_object_hash"])
        self.assertEqual(made.headers["etag"], listed["hash"])
        self.assertEqual("2026-11-22T12:00:00.000000+00:00", listed["last_modified"])
        self.assertEqual("1795348800.000000", listed["x_object_version_timestamp"])
        self.assertEqual(str(self.a.user), listed["x_object_modified_by"])


class CopyTests(PithosCase):
    def test_pithos_67_copy(self) -> None:
        first = self.upload("obj", x_object_meta_a="1")
        made = self.wire.put(f"{self.c}/dst", x_copy_from="/c/obj", x_object_meta_b="2")
        self.assertEqual(201, made.status, made.body)
        self.assertNotEqual(
            first.headers["x-object-uuid"], made.headers["x-object-uuid"]
        )
        self.assertEqual(first.headers["etag"], made.headers["etag"])
        shown = self.wire.request("HEAD", f"{self.c}/dst").headers
        self.assertEqual("1", shown["x-object-meta-a"])
        self.assertEqual("2", shown["x-object-meta-b"])
        self.assertEqual("text/plain", shown["content-type"])

    def test_pithos_68_move(self) -> None:
        first = self.upload("obj")
        path = f"{self.c}/obj"
        bad = self.wire.request("MOVE", path, destination="/c/new", if_match="x")
        self.assertEqual(412, bad.status)
        etag = first.headers["etag"]
        made = self.wire.request("MOVE", path, destination="/c/new", if_match=etag)
        self.assertEqual(201, made.status)
        self.assertEqual(first.headers["x-object-uuid"], made.headers["x-object-uuid"])
        self.assertEqual(404, self.wire.get(path).status)
        self.assertEqual(b"hello", self.wire.get(f"{self.c}/new").body)
        refs = self.result(
            self.db.read(
                "SELECT refs, (SELECT count(*) FROM store.version"
                " WHERE map_id = m.id) FROM store.map m"
            )
        )
        self.assertEqual([(2, 2)], refs)

    def test_moves_without_history_and_over_another_object(self) -> None:
        self.wire.post(f"{self.c}?update", x_container_policy_versioning="none")
        self.upload("obj", b"12345")
        self.upload("new", b"12")
        made = self.wire.put(f"{self.c}/new", x_move_from="/c/obj")
        self.assertEqual(201, made.status, made.body)
        shown = self.wire.request("HEAD", self.c).headers
        self.assertEqual("1", shown["x-container-object-count"])
        self.assertEqual("5", shown["x-container-bytes-used"])
        same = self.wire.put(f"{self.c}/new", x_move_from="/c/new")
        self.assertEqual(201, same.status)

    def test_pithos_71_bad_copies(self) -> None:
        self.upload("obj")
        for source, status in (("obj", 400), ("/c/none", 404), ("/none/x", 404)):
            bad = self.wire.put(f"{self.c}/dst", x_copy_from=source)
            self.assertEqual(status, bad.status, source)
        bad = self.wire.put(f"{self.base}/none/dst", x_copy_from="/c/obj")
        self.assertEqual(404, bad.status)
        self.wire.token = "b"
        stolen = self.wire.put(
            f"/object-store/v1/{self.b.user}/c/x",
            x_copy_from="/c/obj",
            x_source_account=str(self.a.user),
        )
        self.assertEqual(403, stolen.status)

    def test_pithos_62_a_copy_needs_room(self) -> None:
        self.space = 8
        self.join("poor")
        self.wire.token = "poor"
        poor = f"/object-store/v1/{self.tokens['poor'].user}/c"
        self.wire.put(poor)
        self.wire.put(f"{poor}/o", b"12345", content_type="a/b")
        full = self.wire.put(f"{poor}/p", x_copy_from="/c/o")
        self.fault(413, "requestEntityTooLarge", full)
        self.wire.request("DELETE", f"{poor}/o")
        again = self.wire.put(f"{poor}/p", b"12345", content_type="a/b")
        self.assertEqual(201, again.status)


class RightsTests(PithosCase):
    def test_others_and_readers(self) -> None:
        self.upload("o")
        for token, write, read in (("b", 403, 403), ("reader", 403, 200)):
            self.tokens["reader"] = evolve(
                self.b,
                project=self.a.user,
                roles=frozenset({"reader"}),
                projects=self.b.projects | {self.a.user},
            )
            self.wire.token = token
            for path in (f"{self.c}/o", self.c, self.base):
                self.assertEqual(read, self.wire.get(path).status // 1, path)
            for method, path in (
                ("PUT", f"{self.c}/o"),
                ("PUT", f"{self.c}/new"),
                ("POST", f"{self.c}/o"),
                ("DELETE", f"{self.c}/o"),
                ("PUT", self.c),
                ("POST", self.c),
                ("DELETE", self.c),
                ("POST", self.base),
            ):
                reply = self.wire.request(method, path, content_type="text/plain")
                self.assertEqual(write, reply.status, (token, method, path))
        none = self.wire.get(f"/object-store/v1/{self.a.user}/none/x", x_auth_token="b")
        self.assertEqual(403, none.status)
