"""What clusters fetch: images and parameters, each once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed

import api.synnefo.vmapi
from snfd.ganeti.requests import Request
from tests.api.memory import Browser
from tests.compute.http import HttpCloud, http_cloud

DATA = b"a very small disk"


@frozen
class Content:
    size: int = len(DATA)
    block_size: int = 4096
    digests: tuple[bytes, ...] = (b"d" * 32,)
    sha256: str = "5" * 64


class Images:
    async def content(self, ident: UUID) -> Content:
        return Content()


class Reader:
    """Sends `DATA`, or breaks off."""

    good = True

    async def send(self, request: Any, body: Any) -> bool:
        request.write(DATA if self.good else DATA[:3])
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

    def test_a_token_is_tried_so_often_and_no_more(self) -> None:
        path = self.armed()["img_id"]
        self.reader.good = False
        for _ in range(20):
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


def _path(url: str) -> str:
    return url.removeprefix("http://cloud.test/vmapi/v1.0")
