"""Images: streamed, checked, sparse, and nothing left of a bad one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.interfaces import IPullProducer
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from pocket.errors import OpExecError
from pocket.images import HOLE, PIECE, SparseFile, check_url
from tests.pocket.rig import Image, PocketCase, new_instance, view


class Redirect(Resource):
    """Sends its client elsewhere."""

    isLeaf = True
    asked = 0

    def render_GET(self, request: Request) -> bytes:
        request.setResponseCode(302)
        request.setHeader("location", "http://10.0.0.1/secret")
        return b""


class Silent(Resource):
    """Begins and then says nothing more."""

    isLeaf = True

    def render_GET(self, request: Request) -> Any:
        request.setHeader("content-length", "1000")
        request.setHeader("x-content-sha256", "0" * 64)
        request.write(b"x" * 10)
        request.notifyFinish().addErrback(lambda _: None)
        return NOT_DONE_YET


class Mute(Resource):
    """Does not even begin to answer."""

    isLeaf = True

    def render_GET(self, request: Request) -> Any:
        request.notifyFinish().addErrback(lambda _: None)
        return NOT_DONE_YET


class Chunked(Resource):
    """Does not say how much comes."""

    isLeaf = True

    def render_GET(self, request: Request) -> Any:
        request.setHeader("x-content-sha256", "0" * 64)
        request.write(b"x" * 10)
        request.finish()
        return NOT_DONE_YET


class UrlTests(SynchronousTestCase):
    def test_only_loopback_and_the_list_are_asked(self) -> None:
        for url in ("http://127.0.0.1:8/x", "https://[::1]/x", "http://localhost/x"):
            check_url(url, frozenset())
        check_url("http://cloud.example/x", frozenset({"cloud.example"}))
        for url in (
            "http://10.0.0.1/x", "http://cloud.example/x", "file:///etc/passwd",
            "ftp://127.0.0.1/x", "http://", "http://127.0.0.1:99999/",
            "http://127.0.0.1@10.0.0.1/", "http://localhost.evil/", "http://[::1",
            "http://0x7f000001/", "http://169.254.169.254/latest",
        ):  # fmt: skip
            self.assertRaises(OpExecError, check_url, url, frozenset())


@pytest.mark.rig("pocket")
class DiskTests(PocketCase):
    """Disks are real with the stand-in screen too."""

    async def setUp(self) -> None:  # type: ignore[override]
        self.data = self.directory()
        await self.start(data=self.data, hypervisor="screen")

    def body(self, resource: Resource, **more: Any) -> dict[str, Any]:
        return new_instance(
            "snf-1",
            osparams={"img_id": self.serve(resource), "img_format": "diskdump"},
            **more,
        )

    async def refused(self, body: dict[str, Any], why: str) -> None:
        """The create fails for that reason and leaves nothing behind."""
        self.pocket.cluster.space.fetcher.persistence = 1  # type: ignore[attr-defined]
        job = await self.job("POST", "/2/instances", body)
        kind, [text] = job["opresult"][0]
        self.assertEqual("OpExecError", kind)
        self.assertIn(why, text)
        self.assertEqual([], list(self.data.glob("disks/*")))
        status, _ = await self.call("GET", "/2/instances/snf-1")
        self.assertEqual(404, status)
        good = Image(b"good" * 1000)
        await self.good("POST", "/2/instances", self.body(good))
        await self.good("DELETE", "/2/instances/snf-1")

    async def test_the_disk_begins_with_the_image_and_has_holes(self) -> None:
        data = b"start" + bytes(5 * PIECE) + b"end" + bytes(PIECE)
        await self.good("POST", "/2/instances", self.body(Image(data)))
        [disk] = self.data.glob("disks/*/*")
        self.assertEqual(16 * PIECE, disk.stat().st_size)
        self.assertLessEqual(disk.stat().st_blocks * 512, 3 * HOLE)
        whole = disk.read_bytes()
        self.assertEqual(data, whole[: len(data)])
        self.assertEqual(b"", whole[len(data) :].strip(b"\0"))
        self.assertEqual(0o600, disk.stat().st_mode & 0o777)
        await self.good("DELETE", "/2/instances/snf-1")
        self.assertEqual([], list(self.data.glob("disks/*")))

    async def test_a_short_body_leaves_nothing(self) -> None:
        image = Image(b"x" * (3 * PIECE), cut=PIECE)
        await self.refused(self.body(image), "broke off")

    async def test_a_wrong_body_leaves_nothing(self) -> None:
        image = Image(b"x" * (3 * PIECE), digest=hashlib.sha256(b"y").hexdigest())
        await self.refused(self.body(image), "SHA-256")

    async def test_a_body_without_a_digest_leaves_nothing(self) -> None:
        await self.refused(self.body(Image(b"x", digest="")), "without X-Content")

    async def test_a_body_without_a_length_leaves_nothing(self) -> None:
        await self.refused(self.body(Chunked()), "how long")

    async def test_an_image_larger_than_the_disk_leaves_nothing(self) -> None:
        image = Image(b"x" * (16 * PIECE + 1))
        await self.refused(self.body(image), "larger than the disk")

    async def test_a_redirect_is_not_followed(self) -> None:
        await self.refused(self.body(Redirect()), "answered 302")

    async def test_a_foreign_host_is_not_asked(self) -> None:
        body = new_instance("snf-1", osparams={"img_id": "http://10.0.0.1/x"})
        await self.refused(body, "not fetched from 10.0.0.1")

    async def test_a_server_that_is_away_leaves_nothing(self) -> None:
        body = new_instance("snf-1", osparams={"img_id": "http://127.0.0.1:1/x"})
        await self.refused(body, "cannot be fetched")

    async def test_what_broke_off_is_fetched_again(self) -> None:
        image = Image(b"x" * (3 * PIECE), cut=PIECE)

        def whole() -> None:
            image.cut = 0

        reactor.callLater(0.8, whole)
        await self.good("POST", "/2/instances", self.body(image))
        self.assertGreater(image.asked, 1)
        [disk] = self.data.glob("disks/*/*")
        self.assertEqual(b"x" * (3 * PIECE), disk.read_bytes()[: 3 * PIECE])

    async def test_a_silent_server_is_given_up(self) -> None:
        self.pocket.cluster.space.fetcher.patience = 0.2  # type: ignore[attr-defined]
        await self.refused(self.body(Silent()), "silent")

    async def test_a_mute_server_is_given_up(self) -> None:
        self.pocket.cluster.space.fetcher.patience = 0.2  # type: ignore[attr-defined]
        await self.refused(self.body(Mute()), "cannot be fetched")

    async def test_without_an_image_the_disk_is_empty(self) -> None:
        image = Image(b"x")
        mores: list[dict[str, Any]] = [{"osparams": {}}, {"no_install": True}]
        for more in mores:
            await self.good("POST", "/2/instances", {**self.body(image), **more})
            [disk] = self.data.glob("disks/*/*")
            self.assertEqual(
                (16 * PIECE, 0), (disk.stat().st_size, disk.stat().st_blocks)
            )
            await self.good("DELETE", "/2/instances/snf-1")
        self.assertEqual(0, image.asked)

    async def test_disks_of_nobody_are_tidied_at_the_start(self) -> None:
        await self.good("POST", "/2/instances", new_instance("snf-1"))
        await self.pocket.stopService()
        (self.data / "disks/left-over").mkdir()
        (self.data / "disks/left-over/disk").write_bytes(b"x")
        await self.start(data=self.data, hypervisor="screen")
        self.assertEqual(1, len(list(self.data.glob("disks/*"))))

    async def test_a_stand_in_has_a_screen_while_it_runs(self) -> None:
        await self.good("POST", "/2/instances", new_instance("snf-1"))
        _, shown = await self.call("GET", "/2/instances/snf-1")
        self.assertEqual(
            ("kvm", "127.0.0.1"),
            (
                (await self.call("GET", "/2/info"))[1]["default_hypervisor"],
                shown["hvparams"]["vnc_bind_address"],
            ),
        )
        viewer = await view(self, shown["network_port"])
        self.assertEqual(b"RFB 003.008\n", await viewer.take(12))
        await self.good("PUT", "/2/instances/snf-1/shutdown", {"timeout": 0})
        for _ in range(100):
            if viewer.closed:
                break
            await deferLater(reactor, 0.02)
        self.assertTrue(viewer.closed)
        await self.good("PUT", "/2/instances/snf-1/startup")
        await self.good("POST", "/2/instances/snf-1/reboot?type=hard")
        await self.good("POST", "/2/instances", new_instance("snf-2"))
        _, other = await self.call("GET", "/2/instances/snf-2")
        self.assertNotEqual(shown["network_port"], other["network_port"])

    async def test_a_port_that_another_program_took_is_changed(self) -> None:
        await self.good("POST", "/2/instances", new_instance("snf-1"))
        await self.good("PUT", "/2/instances/snf-1/shutdown", {"timeout": 0})
        _, before = await self.call("GET", "/2/instances/snf-1")
        old = before["network_port"]
        site: Any = self.pocket.site
        thief = reactor.listenTCP(old, site, interface="127.0.0.1")
        self.addCleanup(thief.stopListening)
        await self.good("PUT", "/2/instances/snf-1/startup")
        _, after = await self.call("GET", "/2/instances/snf-1")
        viewer = await view(self, after["network_port"])
        self.assertEqual(b"RFB 003.008\n", await viewer.take(12))

    async def test_a_pocket_that_stops_while_it_fetches_leaves_nothing(self) -> None:
        _, number = await self.call("POST", "/2/instances", self.body(Silent()))
        for _ in range(200):
            if list(self.data.glob("disks/*/*")):
                break
            await deferLater(reactor, 0.02)
        await self.pocket.stopService()
        await self.start(data=self.data, hypervisor="screen")
        self.assertEqual([], list(self.data.glob("disks/*")))
        # it begins anew, and the server says as little as before
        self.pocket.cluster.space.fetcher.patience = 0.2  # type: ignore[attr-defined]
        job = await self.ended(number)
        self.assertEqual("error", job["status"])


@implementer(IPullProducer)
class Flood(Resource):
    """Serves the same piece many times."""

    isLeaf = True

    def __init__(self, piece: bytes, times: int) -> None:
        super().__init__()
        self.piece, self.left, self.size = piece, times, len(piece) * times
        digest = hashlib.sha256()
        for _ in range(times):
            digest.update(piece)
        self.digest = digest.hexdigest()

    def render_GET(self, request: Request) -> Any:
        request.setHeader("content-length", str(self.size))
        request.setHeader("x-content-sha256", self.digest)
        self.request = request
        request.registerProducer(self, False)
        return NOT_DONE_YET

    def resumeProducing(self) -> None:
        if self.left:
            self.left -= 1
            self.request.write(self.piece)
        else:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self) -> None:
        self.left = 0


@pytest.mark.rig("pocket")
class MemoryTests(PocketCase):
    async def test_a_large_image_needs_little_memory(self) -> None:
        data = self.directory()
        child = await self.spawn(data, "--hypervisor=screen")
        before = child.peak()
        flood = Flood(os.urandom(PIECE), 256)
        body = new_instance(
            "snf-1",
            disks=[{"size": 300}],
            osparams={"img_id": self.serve(flood)},
        )
        await self.good("POST", "/2/instances", body)
        self.assertLess(child.peak() - before, 24 * PIECE)
        [disk] = data.glob("disks/*/*")
        self.assertEqual(300 * PIECE, disk.stat().st_size)
        self.assertGreaterEqual(disk.stat().st_blocks * 512, 256 * PIECE)


class SparseFileTests(SynchronousTestCase):
    def test_it_never_grows_beyond_its_size(self) -> None:
        file = SparseFile(self.place(), 10)
        file.open()
        file.write(b"12345")
        self.assertRaises(OpExecError, file.write, b"1234567")
        file.close()
        file.close()

    def place(self) -> Path:
        folder = tempfile.TemporaryDirectory(prefix="pocket-")
        self.addCleanup(folder.cleanup)
        return Path(folder.name) / "disk"
