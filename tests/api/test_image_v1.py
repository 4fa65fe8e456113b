"""The image registry's version 1, as kamaki reads it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from attrs import evolve

from api.synnefo import image as plankton
from tests.api.memory import Browser
from tests.api.test_image_v2 import ImageCase


class PlanktonTests(ImageCase):
    def setUp(self) -> None:
        super().setUp()
        self.old = Browser(plankton.resource(self.images, self.authenticate), "a")

    def test_lists(self) -> None:
        first = self.create(name="one", os_family="linux", description="d")
        self.clock.advance(1)
        second = self.create(name="two")
        self.fill(first, b"spam")
        names = [one["name"] for one in self.old.get("/images").json]
        self.assertEqual(["two", "one"], names)
        found = self.old.get("/images/?sort_dir=asc").json
        self.assertEqual(
            {
                "id": first["id"], "name": "one", "status": "AVAILABLE",
                "disk_format": "diskdump", "container_format": "bare", "size": 4,
            },
            found[0],
        )  # fmt: skip
        self.assertEqual("SAVING", found[1]["status"])
        shown = self.old.get("/images/detail?sort_key=name").json[1]
        self.assertEqual("2026-11-22 12:00:00", shown["created_at"])
        self.assertEqual(
            {"os_family": "linux", "description": "d"}, shown["properties"]
        )
        self.assertEqual(str(self.a.user), shown["owner"])
        self.assertFalse(shown["is_public"])
        one = self.old.get(f"/images?limit=1&marker={second['id']}").json
        self.assertEqual(["one"], [image["name"] for image in one])

    def test_head(self) -> None:
        image = self.create(name="grün", os_family="linux")
        found = self.old.request("HEAD", f"/images/{image['id']}")
        self.assertEqual(200, found.status)
        self.assertEqual("gr%C3%BCn", found.headers["x-image-meta-name"])
        self.assertEqual("linux", found.headers["x-image-meta-property-os-family"])
        self.assertEqual("diskdump", found.headers["x-image-meta-disk-format"])

    def test_what_is_not_there(self) -> None:
        image = self.create()
        self.assertEqual(501, self.old.get(f"/images/{image['id']}").status)
        missing = self.old.request("HEAD", f"/images/{uuid4()}")
        self.assertEqual(404, missing.status)
        self.assertEqual(400, self.old.request("HEAD", "/images/x").status)
        for query in ("sort_key=x", "sort_dir=up", "limit=0", f"marker={uuid4()}"):
            self.assertEqual(400, self.old.get(f"/images?{query}").status, query)
        self.assertEqual([], self.old.get("/images", token="b").json)

    def test_all_projects_of_a_member(self) -> None:
        image = self.create()
        member: Any = evolve(self.b, projects=self.b.projects | {self.a.user})
        self.tokens["member"] = member
        found = self.old.get("/images", token="member").json
        self.assertEqual([image["id"]], [one["id"] for one in found])
