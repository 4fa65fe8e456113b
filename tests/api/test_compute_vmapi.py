"""What clusters fetch: images and parameters, each once."""

from __future__ import annotations

import hmac
from typing import Any
from uuid import UUID

from attrs import evolve, frozen
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed

import api.synnefo.vmapi
from snfd.audit import Actor
from snfd.clock import now
from snfd.compute import handoff
from snfd.compute.nodes import Nodes
from snfd.compute.progress import Report, note
from snfd.compute.store import secrets
from snfd.db.port import Transaction
from snfd.errors import Invalid, NotFound
from snfd.ganeti import names
from snfd.ganeti.requests import Request
from storage.blocks import MemoryBlocks
from storage.download import Reader as StoredReader
from tests.api.memory import Browser
from tests.compute.http import HttpCloud, http_cloud

DATA = b"a very small disk"
ROOT = Actor(None, "root")


@frozen
class Content:
    size: int = len(DATA)
    block_size: int = 4096
    digests: tuple[bytes, ...] = (b"d" * 32,)
    sha256: str = "5" * 64


@frozen
class Images:
    found: Content = Content()

    async def content(self, ident: UUID) -> Content:
        return self.found


class Reader:
    """Sends `DATA`, or breaks off."""

    good = True

    async def send(self, request: Any, body: Any) -> bool:
        data = b"".join(DATA[one.span.start : one.span.stop] for one in body)
        request.write(data if self.good else data[:3])
        if not self.good:
            request.finish()
        return self.good


@frozen(eq=False)
class Cloud:
    http: HttpCloud
    images: Images
    reader: Any

    @property
    def compute(self) -> Any:
        return self.http.compute

    @property
    def authenticator(self) -> Any:
        return self.http.authenticator


def _path(url: str) -> str:
    return url.removeprefix("http://cloud.test/vmapi/v1.0")


class VmapiTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.http = http_cloud(self)
        self.parts = self.http.parts
        self.reader = Reader()
        cloud = Cloud(self.http, Images(), self.reader)
        self.browser = Browser(api.synnefo.vmapi.resource(cloud))

    def armed(self, **more: Any) -> dict[str, str]:
        """The parameters with which a new server's job is submitted."""
        self.parts.create(**more)
        intent = self.parts.intents()[-1].intent
        request = self.parts.wait(
            self.parts.compute.handoffs.enrich(Request.of(intent), intent)
        )
        params = request.body["osparams"]
        return {key: _path(value) for key, value in params.items()}

    def test_an_image_goes_out_once(self) -> None:
        path = self.armed()["img_id"]
        got = self.browser.get(path)
        self.assertEqual((200, DATA), (got.status, got.body))
        self.assertEqual("5" * 64, got.headers["x-content-sha256"])
        self.assertEqual(404, self.browser.get(path).status)
        self.assertEqual(404, self.browser.get("/image/guess").status)

    def test_a_transfer_that_broke_off_is_tried_again(self) -> None:
        path = self.armed()["img_id"]
        self.reader.good = False
        for _ in range(3):
            self.assertRaises(ResponseFailed, self.browser.get, path)
        self.reader.good = True
        self.assertEqual(200, self.browser.get(path).status)
        self.assertEqual(404, self.browser.get(path).status)

    def test_a_transfer_goes_on_where_it_broke_off(self) -> None:
        path = self.armed()["img_id"]
        self.reader.good = False
        self.assertRaises(ResponseFailed, self.browser.get, path)
        self.reader.good = True
        got = self.browser.get(path, headers={"Range": "bytes=3-6"})
        self.assertEqual((206, DATA[3:7]), (got.status, got.body))
        self.assertEqual(f"bytes 3-6/{len(DATA)}", got.headers["content-range"])
        wrong = self.browser.get(path, headers={"Range": f"bytes={len(DATA)}-"})
        self.assertEqual(416, wrong.status)
        got = self.browser.get(path, headers={"Range": "bytes=7-"})
        self.assertEqual((206, DATA[7:]), (got.status, got.body))
        self.assertEqual("5" * 64, got.headers["x-content-sha256"])
        self.assertEqual(404, self.browser.get(path).status)

    @property
    def nodes(self) -> Nodes:
        return Nodes(self.parts.people.db, self.parts.compute.handoffs.reports)

    def test_documents_and_images_go_to_the_nodes_only(self) -> None:
        nodes, wait, fails = self.nodes, self.parts.wait, self.parts.people.fails
        wait(nodes.allow(ROOT, "one", ["10.0.0.1/8", "192.0.2.7"]))
        self.assertEqual(["10.0.0.0/8", "192.0.2.7/32"], wait(nodes.show("one")))
        params = self.armed()
        for key in ("img_id", "config_url"):
            self.assertEqual(404, self.browser.get(params[key]).status)
        wait(nodes.allow(ROOT, "one", ["127.0.0.1"]))
        for key in ("img_id", "config_url"):
            self.assertEqual(200, self.browser.get(params[key]).status)
        fails(nodes.allow(ROOT, "one", ["10.0.0"]), Invalid)
        fails(nodes.allow(ROOT, "one", ["10.0.0.1"] * 257), Invalid)
        fails(nodes.allow(ROOT, "none", []), NotFound)

    def test_what_nobody_fetched_is_dropped_in_time(self) -> None:
        self.armed()
        people = self.parts.people

        async def purge(tx: Transaction) -> int:
            return await secrets.purge(tx, now(people.clock), 1000)

        self.assertEqual(0, self.parts.wait(people.db.run(purge)))
        people.clock.advance(7201)
        self.assertEqual(2, self.parts.wait(people.db.run(purge)))

    def test_a_token_is_tried_so_often_and_no_more(self) -> None:
        path = self.armed()["img_id"]
        self.reader.good = False
        for _ in range(100):
            self.assertRaises(ResponseFailed, self.browser.get, path)
        self.assertEqual(404, self.browser.get(path).status)

    def test_tokens_age_and_die_with_the_next(self) -> None:
        path = self.armed()["img_id"]
        intent = self.parts.intents()[-1].intent
        self.parts.wait(self.parts.compute.handoffs.enrich(Request.of(intent), intent))
        self.assertEqual(404, self.browser.get(path).status)
        path = self.armed()["img_id"]
        self.parts.people.clock.advance(7201)
        self.assertEqual(404, self.browser.get(path).status)

    def test_a_built_server_needs_nothing_more(self) -> None:
        self.parts.active()
        left = self.parts.people.sql("SELECT count(*) FROM compute.handoff")
        self.assertEqual([(0,)], left)

    def test_cyclades_19_20_parameters_are_told_once(self) -> None:
        caller = self.parts.caller()
        made, _ = self.parts.wait(
            self.parts.compute.keypairs.create(caller, "laptop", None)
        )
        path = self.armed(key_names=("laptop",), password="Abcdefghi1")["config_url"]
        got = self.browser.get(path)
        self.assertEqual(200, got.status)
        self.assertEqual(made.content, got.json["auth_keys"])
        self.assertEqual("Abcdefghi1", got.json["img_passwd"])
        self.assertEqual('{"OSFAMILY":"linux"}', got.json["img_properties"])
        self.assertTrue(all(isinstance(value, str) for value in got.json.values()))
        self.assertEqual(404, self.browser.get(path).status)

    def test_cyclades_90_nothing_secret_is_stored_in_the_clear(self) -> None:
        params = self.armed(password="Abcdefghi1")
        for table in ("compute.handoff", "compute.server_password", "ops.outbox"):
            rows = self.parts.people.sql(f"SELECT row_to_json(t)::text FROM {table} t")
            for secret in ("Abcdefghi1", params["img_id"].rpartition("/")[2]):
                self.assertNotIn(secret, str(rows))
                self.assertNotIn(secret.encode().hex(), str(rows))

    def test_other_operating_systems_get_no_parameters(self) -> None:
        self.parts.people.execute("UPDATE compute.cluster SET os_name = 'noop'")
        self.assertEqual({}, self.armed())

    # ------------------------------------------------- our own OS definition

    def ours(self, **more: Any) -> dict[str, str]:
        """The document of a new server on a cluster with our OS definition."""
        self.parts.people.execute("UPDATE compute.cluster SET os_name = 'snfd+default'")
        params = self.armed(**more)
        self.assertEqual({"config_url"}, set(params))
        found: dict[str, str] = self.browser.get(params["config_url"]).json
        return found

    def test_ours_finds_all_in_the_document(self) -> None:
        told = self.ours(password="Abcdefghi1")
        self.assertEqual(("web", "diskdump"), (told["hostname"], told["img_format"]))
        self.assertEqual("Abcdefghi1", told["img_passwd"])
        got = self.browser.get(_path(told["img_id"]))
        self.assertEqual((200, DATA), (got.status, got.body))

    def test_a_server_that_exists_gets_a_fresh_document(self) -> None:
        """As for a rebuild, or a new password."""
        self.ours()
        server = self.ident
        people = self.parts.people

        async def renew(tx: Transaction, image: bool) -> None:
            given = {"img_passwd": "Fresh-0001"}
            sealer = self.parts.compute.handoffs.sealer
            await handoff.prepare(
                tx, sealer, server, given, now(people.clock), image=image
            )

        for image in (False, True):
            self.parts.wait(people.db.run(renew, image))
            told = self.reinstalled(server)
            self.assertEqual("Fresh-0001", told["img_passwd"])
            self.assertEqual(image, told["img_id"] != "null")

    def reinstalled(self, server: int) -> dict[str, str]:
        intent = self.parts.intents()[-1].intent
        wanted = Request(
            "OP_INSTANCE_REINSTALL", names.instance(server), {"os": "snfd+default"}
        )
        again = evolve(intent, kind=wanted.kind)
        request = self.parts.wait(self.parts.compute.handoffs.enrich(wanted, again))
        params = request.body["osparams"]
        told: dict[str, str] = self.browser.get(_path(params["config_url"])).json
        return told

    # ---------------------------------------------------------------- reports

    @property
    def ident(self) -> int:
        found = self.parts.people.sql("SELECT max(id) FROM compute.server")
        return int(str(found[0][0]))

    def tell(self, path: str, **message: Any) -> int:
        return self.browser.post(path, message).status

    def shown(self) -> Any:
        return self.http.cyclades().get(f"/servers/{self.ident}").json["server"]

    def diagnostics(self) -> Any:
        return self.http.cyclades().get(f"/servers/{self.ident}/diagnostics").json

    def test_progress_only_grows(self) -> None:
        path = _path(self.ours()["progress_url"])
        for told, shown in ((12.7, 12), (50, 50), (30, 50), (180.5, 100)):
            got = self.tell(path, type="image-copy-progress", progress=told)
            self.assertEqual((204, shown), (got, self.shown()["progress"]))
        self.assertEqual(400, self.tell(path, type="image-copy-progress", progress=-1))
        self.assertEqual(400, self.tell(path, type="image-copy-progress"))

    def test_messages_become_diagnostics(self) -> None:
        path = _path(self.ours()["progress_url"])
        for message in (
            {"type": "image-info", "messages": ["all", "well"]},
            {"type": "image-helper", "subtype": "task-start", "task": "FixPartition"},
            {"type": "image-helper", "subtype": "warning", "messages": ["odd"]},
            {"type": "image-error", "messages": ["x" * 300], "stderr": "trace"},
        ):
            self.assertEqual(204, self.tell(path, **message))
        told = [(one["level"], one["source"], one["message"])
                for one in reversed(self.diagnostics())]  # fmt: skip
        self.assertEqual(
            [
                ("INFO", "image-info", "all well"),
                ("DEBUG", "image-helper-task-start", "FixPartition"),
                ("WARNING", "image-helper", "odd"),
                ("ERROR", "image-error", "x" * 255),
            ],
            told,
        )
        self.assertEqual("x" * 300 + "\ntrace", self.diagnostics()[0]["details"])
        self.assertEqual("ERROR", self.shown()["diagnostics"][0]["level"])
        self.assertEqual(400, self.tell(path, type="nonsense"))

    def test_reports_are_bounded_and_end_with_the_build(self) -> None:
        path = _path(self.ours()["progress_url"])
        for number in range(105):
            self.tell(path, type="image-info", messages=[str(number)])
        kept = self.parts.people.sql("SELECT count(*) FROM compute.diagnostic")
        self.assertEqual([(100,)], kept)
        self.parts.work()
        self.assertEqual(204, self.tell(path, type="image-info", messages=["late"]))
        self.assertEqual("104", self.diagnostics()[0]["message"])

    def test_nobody_else_reports(self) -> None:
        path = _path(self.ours()["progress_url"])
        good, _, mac = path.rpartition(".")
        other = mac[:-1] + ("0" if mac[-1] != "0" else "1")
        for wrong in (f"{good}.{other}", f"{good}2.{mac}", "/progress/x", good):
            self.assertEqual(404, self.tell(wrong, type="image-info"))

    def test_nodes_can_make_the_tokens_themselves(self) -> None:
        """As a monitor of snf-image does."""
        path = _path(self.ours()["progress_url"])
        secret = self.parts.wait(self.nodes.secret(ROOT, "one"))
        mac = hmac.new(bytes.fromhex(secret), f"snf-{self.ident}".encode(), "sha256")
        self.assertEqual(f"/progress/snf-{self.ident}.{mac.hexdigest()}", path)

    def test_a_note_never_fails_for_its_length(self) -> None:
        kept = note(Report("image-warning", messages=["\0" + "é" * 70_000]))
        self.assertEqual((255, 10_000), (len(kept.message), len(kept.details)))

    def test_pieces_from_real_blocks_make_the_whole(self) -> None:
        blocks = MemoryBlocks()
        pieces = [DATA[start : start + 5] for start in range(0, len(DATA), 5)]
        digests = [self.parts.wait(blocks.put(piece)) for piece in pieces]
        clock = self.parts.people.clock
        images = Images(Content(block_size=5, digests=tuple(digests)))
        cloud = Cloud(self.http, images, StoredReader(blocks, clock, 5))
        self.browser = Browser(api.synnefo.vmapi.resource(cloud))
        path = self.armed()["img_id"]
        for start in range(1, len(DATA) - 1):
            got = self.browser.get(path, headers={"Range": f"bytes=0-{start - 1}"})
            self.assertEqual((206, DATA[:start]), (got.status, got.body))
        got = self.browser.get(path, headers={"Range": "bytes=3-"})
        self.assertEqual((206, DATA[3:]), (got.status, got.body))
        self.assertEqual(404, self.browser.get(path).status)
