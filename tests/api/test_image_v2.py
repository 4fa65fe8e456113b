"""The image service v2, through a whole site in memory."""

from __future__ import annotations

from hashlib import md5, sha256, sha512
from typing import Any
from uuid import UUID, uuid4

import msgspec
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from api.openstack import image as glance
from snfd.errors import Conflict, NotFound
from snfd.image.model import Sums
from snfd.image.service import Images
from snfd.image.uploads import ImageUploads
from snfd.quota.service import Quota, charge
from snfd.tasks import Tasks
from storage.workers import CallerWorkers
from tests.api.objectcloud import ObjectCloudCase
from tests.api.wire import Reply
from tests.objects.test_service import content

PATCH = "application/openstack-images-v2.1-json-patch"
BYTES = "application/octet-stream"
BASE = "/os/image/v2/images"


class ImageCase(ObjectCloudCase):
    """A cloud with an image service; blocks of four bytes."""

    block_size = 4
    space = 1000

    def parts(self) -> Any:
        mounts, streamed = super().parts()
        self.images = Images(self.db, self.clock, charge)
        self.uploads = ImageUploads(self.db, self.clock, charge, self.store.uploads)
        self.tasks = Tasks()
        resource, stream = glance.build(
            self.images,
            self.uploads,
            self.writer,
            self.reader,
            CallerWorkers(),
            self.tasks,
            self.authenticate,
            "http://cloud.test/os/image",
        )
        return {**mounts, glance.MOUNT: resource}, [*streamed, stream]

    def create(self, **body: Any) -> Any:
        """A new image as the service shows it."""
        wanted = {"disk_format": "raw", "container_format": "bare", **body}
        made = self.send("POST", BASE, wanted)
        self.assertEqual(201, made.status, made.body)
        return made.json

    def send(self, method: str, path: str, body: object, **headers: Any) -> Reply:
        kind = headers.pop("content_type", "application/json")
        return self.wire.request(
            method, path, msgspec.json.encode(body), content_type=kind, **headers
        )

    def fill(self, image: Any, data: bytes, **headers: Any) -> Reply:
        path = f"{BASE}/{image['id']}/file"
        return self.wire.put(path, data, content_type=BYTES, **headers)

    def patch(self, image: Any, *steps: tuple[str, str, Any]) -> Reply:
        body = [{"op": op, "path": path, "value": value} for op, path, value in steps]
        return self.send("PATCH", f"{BASE}/{image['id']}", body, content_type=PATCH)

    def shown(self, image: Any) -> Any:
        return self.wire.get(f"{BASE}/{image['id']}").json

    def run_(self, work: Any) -> Any:
        """``work`` started."""
        return Deferred.fromCoroutine(work)

    def held(self) -> int:
        """What A is charged, in bytes."""
        usage = self.result(Quota(self.db).usage_in(self.a, self.a.user))
        found: int = usage["pithos.diskspace"].usage
        return found


class LifeTests(ImageCase):
    def test_create_fill_show_download_delete(self) -> None:
        data = b"0123456789" * 7
        image = self.create(name="demo", os_distro="test")
        self.assertEqual(
            ("queued", "shared", "test", None),
            tuple(image[key] for key in ("status", "visibility", "os_distro", "size")),
        )
        self.assertEqual(204, self.fill(image, data).status)
        shown = self.shown(image)
        self.assertEqual(
            ("active", len(data), md5(data).hexdigest()),
            (shown["status"], shown["size"], shown["checksum"]),
        )
        self.assertEqual("sha512", shown["os_hash_algo"])
        self.assertEqual(sha512(data).hexdigest(), shown["os_hash_value"])
        got = self.wire.get(f"{BASE}/{image['id']}/file")
        self.assertEqual((200, data), (got.status, got.body))
        part = self.wire.get(f"{BASE}/{image['id']}/file", range="bytes=3-5")
        self.assertEqual((206, b"345"), (part.status, part.body))
        self.assertEqual(len(data), self.held())
        gone = self.wire.request("DELETE", f"{BASE}/{image['id']}")
        self.assertEqual(204, gone.status)
        self.assertEqual(404, self.wire.get(f"{BASE}/{image['id']}").status)
        self.assertEqual(0, self.held())
        refs = self.result(self.db.read("SELECT refs FROM store.map"))
        self.assertEqual([(0,)], refs)

    def test_the_data_is_an_object_of_the_project(self) -> None:
        image = self.create()
        self.fill(image, b"spam")
        got = self.wire.get(f"/object-store/v1/{self.a.user}/images/{image['id']}")
        self.assertEqual(b"spam", got.body)
        self.assertEqual(image["id"], got.headers["x-object-uuid"])

    def test_while_it_is_an_image_its_object_stays(self) -> None:
        image = self.create()
        self.fill(image, b"spam")
        path = f"/v1/AUTH_{self.a.user}/images/{image['id']}"
        self.assertEqual(409, self.wire.request("DELETE", path).status)
        self.assertEqual(409, self.wire.put(path, b"other").status)
        self.assertEqual(202, self.wire.post(path, x_object_meta_a="1").status)

    def test_content_for_those_who_make_servers(self) -> None:
        image = self.create(min_ram=5, os_type="linux")
        ident = UUID(image["id"])
        self.failureResultOf(self.run_(self.images.content(ident)), Conflict)
        self.failureResultOf(self.run_(self.images.usable(self.a, ident)), Conflict)
        self.fill(image, b"spam, spam")
        found = self.result(self.images.content(ident))
        self.assertEqual((10, 4, 3), (found.size, found.block_size, len(found.digests)))
        self.assertEqual(sha256(b"spam, spam").hexdigest(), found.sha256)
        facts = self.result(self.images.usable(self.a, ident))
        self.assertEqual((10, 5), (facts.size, facts.min_ram))
        self.assertEqual("linux", facts.properties["os_type"])
        self.failureResultOf(self.run_(self.images.usable(self.b, ident)), NotFound)
        self.failureResultOf(self.run_(self.images.usable(self.a, uuid4())), NotFound)

    def test_an_empty_queued_image_has_no_data(self) -> None:
        image = self.create()
        self.assertEqual(204, self.wire.get(f"{BASE}/{image['id']}/file").status)

    def test_a_chosen_id_is_kept_and_taken_once(self) -> None:
        ident = str(uuid4())
        self.assertEqual(ident, self.create(id=ident)["id"])
        again = self.send("POST", BASE, {"id": ident})
        self.assertEqual(409, again.status)


class UploadTests(ImageCase):
    def test_data_comes_once(self) -> None:
        image = self.create()
        self.fill(image, b"spam")
        self.assertEqual(409, self.fill(image, b"eggs").status)

    def test_formats_must_be_known_before(self) -> None:
        image = self.send("POST", BASE, {"name": "x"}).json
        self.assertEqual(400, self.fill(image, b"spam").status)
        self.assertEqual("queued", self.shown(image)["status"])

    def test_no_room_leaves_it_queued(self) -> None:
        image = self.create()
        self.assertEqual(413, self.fill(image, bytes(1001)).status)
        self.assertEqual("queued", self.shown(image)["status"])
        self.assertEqual(0, self.held())
        self.assertEqual(204, self.fill(image, bytes(1000)).status)

    def test_no_room_is_said_before_the_data_comes(self) -> None:
        image = self.create()
        refused = self.fill(image, content_length=str(2**21), data=b"")
        self.assertEqual(413, refused.status)
        self.assertEqual("queued", self.shown(image)["status"])

    def test_a_client_that_vanishes_leaves_it_queued(self) -> None:
        image = self.create()
        protocol, _ = self.wire.connect()
        head = self.wire.head(
            "PUT",
            f"{BASE}/{image['id']}/file",
            {"Content-Type": BYTES, "Content-Length": "100"},
        )
        protocol.dataReceived(head + b"some")
        self.assertEqual("saving", self.shown(image)["status"])
        self.assertEqual(409, self.fill(image, b"spam").status)
        protocol.connectionLost(Failure(ConnectionLost()))
        self.assertEqual("queued", self.shown(image)["status"])
        self.assertEqual(204, self.fill(image, b"spam").status)

    def test_a_promised_size_is_kept(self) -> None:
        image = self.create()
        path = f"{BASE}/{image['id']}/file"
        bad = self.wire.put(
            path, b"spam", chunked=True, content_type=BYTES, x_openstack_image_size="5"
        )
        self.assertEqual(400, bad.status)
        good = self.wire.put(
            path, b"spam", chunked=True, content_type=BYTES, x_openstack_image_size="4"
        )
        self.assertEqual(204, good.status)

    def test_another_type_of_body(self) -> None:
        image = self.create()
        path = f"{BASE}/{image['id']}/file"
        self.assertEqual(
            415, self.wire.put(path, b"{}", content_type="application/json").status
        )

    def test_deleted_while_the_data_came(self) -> None:
        image = self.create()
        begun = self.result(self.uploads.begin(self.a, UUID(image["id"]), 4))
        self.wire.request("DELETE", f"{BASE}/{image['id']}")
        finish = self.uploads.finish(begun, content(b"spam"), Sums(b"", b"", b""))
        self.failureResultOf(self.run_(finish), Conflict)


class RightsTests(ImageCase):
    def test_another_project_sees_only_what_is_public(self) -> None:
        image = self.create(visibility="private")
        self.wire.token = "b"
        path = f"{BASE}/{image['id']}"
        for reply in (
            self.wire.get(path),
            self.wire.get(f"{path}/file"),
            self.wire.request("DELETE", path),
            self.patch(image, ("replace", "/name", "x")),
            self.fill(image, b"spam"),
        ):
            self.assertEqual(404, reply.status)
        self.assertEqual([], self.wire.get(BASE).json["images"])

    def test_only_administrators_publish(self) -> None:
        self.assertEqual(403, self.send("POST", BASE, {"visibility": "public"}).status)
        image = self.create()
        change = ("replace", "/visibility", "public")
        self.assertEqual(403, self.patch(image, change).status)
        self.tokens["admin"] = evolve(
            self.a, roles=frozenset({"reader", "member", "admin"})
        )
        self.wire.token = "admin"
        self.assertEqual(200, self.patch(image, change).status)
        self.wire.token = "b"
        self.assertEqual(200, self.wire.get(f"{BASE}/{image['id']}").status)
        self.assertEqual(403, self.fill(image, b"spam").status)
        self.assertEqual(
            403, self.wire.request("DELETE", f"{BASE}/{image['id']}").status
        )

    def test_a_reader_writes_nothing(self) -> None:
        image = self.create()
        self.tokens["a"] = evolve(self.a, roles=frozenset({"reader"}))
        path = f"{BASE}/{image['id']}"
        self.assertEqual(200, self.wire.get(path).status)
        for reply in (
            self.send("POST", BASE, {}),
            self.patch(image, ("replace", "/name", "x")),
            self.fill(image, b"spam"),
            self.wire.request("DELETE", path),
        ):
            self.assertEqual(403, reply.status)

    def test_no_token(self) -> None:
        self.wire.token = None
        self.assertEqual(401, self.wire.get(BASE).status)
        self.assertEqual(401, self.fill({"id": str(uuid4())}, b"x").status)
        self.assertEqual(300, self.wire.get("/os/image").status)

    def test_protected_images_stay(self) -> None:
        image = self.create(protected=True)
        path = f"{BASE}/{image['id']}"
        self.assertEqual(403, self.wire.request("DELETE", path).status)
        self.patch(image, ("replace", "/protected", False))
        self.assertEqual(204, self.wire.request("DELETE", path).status)


class ChangeTests(ImageCase):
    def test_properties_come_change_and_go(self) -> None:
        image = self.create()
        self.patch(image, ("add", "/snfd", "1"), ("replace", "/name", "new"))
        self.assertEqual(("1", "new"), (self.shown(image)["snfd"], "new"))
        self.assertEqual(200, self.patch(image, ("replace", "/snfd", "2")).status)
        self.assertEqual(200, self.patch(image, ("remove", "/snfd", None)).status)
        self.assertNotIn("snfd", self.shown(image))
        self.assertEqual(409, self.patch(image, ("remove", "/snfd", None)).status)
        self.assertEqual(409, self.patch(image, ("replace", "/snfd", "3")).status)

    def test_all_of_a_patch_or_nothing(self) -> None:
        image = self.create(name="old")
        bad = self.patch(
            image, ("replace", "/name", "new"), ("remove", "/nothing", None)
        )
        self.assertEqual(409, bad.status)
        self.assertEqual("old", self.shown(image)["name"])

    def test_what_cannot_be_changed(self) -> None:
        image = self.create()
        for status, step in (
            (403, ("replace", "/status", "active")),
            (403, ("replace", "/id", str(uuid4()))),
            (403, ("remove", "/name", None)),
            (400, ("replace", "/min_disk", "5")),
            (400, ("replace", "/min_disk", -1)),
            (400, ("replace", "/disk_format", "qcow2")),
            (400, ("add", "/key", 5)),
            (400, ("add", "key", "x")),
            (400, ("add", "/a/b", "x")),
            (400, ("move", "/a", "x")),
            (400, ("add", "/key", "x" * 5000)),
            (400, ("add", "/nul", "a\0b")),
        ):
            self.assertEqual(status, self.patch(image, step).status, step)
        path = f"{BASE}/{image['id']}"
        self.assertEqual(415, self.send("PATCH", path, []).status)
        self.assertEqual(
            400, self.wire.request("PATCH", path, b"{", content_type=PATCH).status
        )

    def test_tags(self) -> None:
        image = self.create(tags=["a", "b", "a"])
        self.assertEqual(["a", "b"], image["tags"])
        path = f"{BASE}/{image['id']}/tags"
        self.assertEqual(204, self.wire.put(f"{path}/c").status)
        self.assertEqual(204, self.wire.request("DELETE", f"{path}/a").status)
        self.assertEqual(404, self.wire.request("DELETE", f"{path}/a").status)
        self.assertEqual(["b", "c"], self.shown(image)["tags"])
        members = self.wire.get(f"{BASE}/{image['id']}/members").json
        self.assertEqual([], members["members"])

    def test_bad_images(self) -> None:
        for status, body in (
            (400, {"name": 5}),
            (400, {"disk_format": "qcow2"}),
            (400, {"visibility": "secret"}),
            (400, {"id": "x"}),
            (400, {"name": "x" * 256}),
            (403, {"status": "active"}),
            (403, {"size": 5}),
            (400, [1]),
        ):
            self.assertEqual(status, self.send("POST", BASE, body).status, body)


class ListTests(ImageCase):
    def names(self, query: str = "") -> list[str]:
        reply = self.wire.get(f"{BASE}?{query}")
        self.assertEqual(200, reply.status, reply.body)
        return [one["name"] for one in reply.json["images"]]

    def setUp(self) -> None:
        super().setUp()
        self.made = {}
        for name in ("one", "two", "three"):
            self.clock.advance(1)
            self.made[name] = self.create(name=name, kind=name[0], tags=[name, "t"])

    def test_filters(self) -> None:
        ids = ",".join(self.made[name]["id"] for name in ("one", "two"))
        for query, expected in (
            ("", ["three", "two", "one"]),
            ("sort=name:asc", ["one", "three", "two"]),
            ("sort_key=created_at&sort_dir=asc", ["one", "two", "three"]),
            (f"id=in:{ids}", ["two", "one"]),
            (f"id=in%3A{ids}", ["two", "one"]),
            ("id=in:nonsense", []),
            ("name=two", ["two"]),
            ("name=in:two,one", ["two", "one"]),
            ("status=active", []),
            ("status=queued", ["three", "two", "one"]),
            ("visibility=shared", ["three", "two", "one"]),
            ("visibility=public", []),
            (f"owner={self.a.project}", ["three", "two", "one"]),
            (f"owner={self.b.project}", []),
            ("tag=t&tag=one", ["one"]),
            ("kind=t", ["three", "two"]),
            ("kind=x", []),
            ("os_hidden=true", []),
            ("size_min=1", []),
        ):
            self.assertEqual(expected, self.names(query), query)

    def test_pages(self) -> None:
        first = self.wire.get(f"{BASE}?limit=2&sort=name:asc").json
        self.assertEqual(["one", "three"], [one["name"] for one in first["images"]])
        rest = self.wire.get("/os/image" + first["next"]).json
        self.assertEqual(["two"], [one["name"] for one in rest["images"]])
        self.assertNotIn("next", rest)

    def test_bad_queries(self) -> None:
        for query in (
            f"marker={uuid4()}", "marker=x", "limit=x", "limit=-1", "sort=x:asc",
            "sort=name:up", "visibility=x", "protected=x", "owner=x", "name=%FF",
            "name=%00",
        ):  # fmt: skip
            self.assertEqual(400, self.wire.get(f"{BASE}?{query}").status, query)

    def test_about(self) -> None:
        reply = self.wire.get("/os/image/")
        self.assertEqual(300, reply.status)
        self.assertEqual("CURRENT", reply.json["versions"][0]["status"])
        for name in ("image", "images", "member", "members"):
            schema = self.wire.get(f"/os/image/v2/schemas/{name}")
            self.assertEqual(name, schema.json["name"])
        self.assertEqual(404, self.wire.get("/os/image/v2/schemas/x").status)
        self.assertEqual(404, self.wire.get(f"{BASE}/not-a-uuid").status)
        self.assertEqual(404, self.wire.get("/os/image/v3").status)
        self.assertEqual(200, self.wire.get("/os/image/v2/info/stores").status)
