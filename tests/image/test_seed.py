"""The image that is there after the first start."""

from __future__ import annotations

from collections.abc import AsyncIterator

from attrs import evolve

from snfd.image.model import Details, Status, Visibility
from snfd.image.seed import ensure_public, pieces
from storage.workers import CallerWorkers
from tests.api.test_image_v2 import ImageCase

DEMO = Details(name="demo", disk_format="raw", container_format="bare")


class SeedTests(ImageCase):
    def setUp(self) -> None:
        super().setUp()
        roles = frozenset({"reader", "member", "admin"})
        self.admin = evolve(self.a, roles=roles)

    def seed(self, data: AsyncIterator[bytes]) -> object:
        return ensure_public(
            self.images, self.uploads, self.writer, CallerWorkers(),
            self.admin, DEMO, data,
        )  # fmt: skip

    def test_it_is_made_once(self) -> None:
        first = self.result(self.seed(pieces(b"boot sector")))
        self.assertEqual(Status.ACTIVE, first.status)
        self.assertEqual(Visibility.PUBLIC, first.details.visibility)
        again = self.result(self.seed(pieces(b"other")))
        self.assertEqual(first, again)
        got = self.wire.get(f"/os/image/v2/images/{first.id}/file", x_auth_token="b")
        self.assertEqual(b"boot sector", got.body)

    def test_a_broken_start_is_taken_up_again(self) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"some"
            raise OSError("disk")

        self.failureResultOf(self.run_(self.seed(broken())), OSError)
        made = self.result(self.seed(pieces(b"all of it")))
        self.assertEqual((Status.ACTIVE, 9), (made.status, made.size))
        rows = self.result(self.db.read("SELECT count(*) FROM store.image"))
        self.assertEqual([(1,)], rows)
