"""Lists of people and projects over identity v3, in pages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from tests.api.identity_cloud import URLS, IdentityApis


class PageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.apis = IdentityApis(self)
        self.admin = self.apis.token("admin")

    def pages(self, path: str, key: str, token: str) -> list[list[Any]]:
        """Every page, each by the link in the one before."""
        found, base = [], f"{URLS.astakos}/identity/v3"
        while path:
            answer = self.apis.v3.get(path, token=token)
            self.assertEqual(200, answer.status, answer.body)
            found.append(answer.json[key])
            self.assertEqual(
                "truncated" in answer.json, bool(answer.json["links"]["next"])
            )
            path = (answer.json["links"]["next"] or "").removeprefix(base)
        return found

    def whole(self, path: str, key: str, token: str) -> None:
        (all_,) = self.pages(path, key, token)
        for limit in (1, 2, len(all_), len(all_) + 1):
            joint = "&" if "?" in path else "?"
            found = self.pages(f"{path}{joint}limit={limit}", key, token)
            self.assertEqual(all_, [one for page in found for one in page], limit)
            if "?" not in path:
                self.assertEqual(-(-len(all_) // limit), len(found))

    def test_pages_make_up_the_whole(self) -> None:
        demo = self.apis.token("demo")
        self.whole("/users", "users", self.admin)
        self.whole("/users?enabled=true", "users", self.admin)
        self.whole("/projects", "projects", self.admin)
        self.whole("/projects", "projects", demo)
        self.whole(f"/users/{self.apis.reader}/projects", "projects", self.admin)

    def test_filters_go_along(self) -> None:
        answer = self.apis.v3.get("/users?enabled=true&limit=1", token=self.admin)
        self.assertIn("enabled=true", answer.json["links"]["next"].lower())

    def test_markers_that_are_nothing(self) -> None:
        demo = self.apis.token("demo")
        for path, token in (
            (f"/users?marker={uuid4()}", self.admin),
            (f"/projects?marker={uuid4()}", self.admin),
            ("/users?marker=x", self.admin),
            ("/projects?limit=-1", self.admin),
            ("/projects?limit=x", self.admin),
            (f"/users?marker={self.apis.alt}", demo),
            (f"/projects?marker={self.apis.other}", demo),
        ):
            self.assertEqual(400, self.apis.v3.get(path, token=token).status, path)
