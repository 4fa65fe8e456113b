"""``/ui/api_access``: people make tokens for programs, and end them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from api.dispatch import build
from api.root import Root
from api.ui.access import ACCESS, AccessPages
from api.ui.paper import PAGES, Paper
from api.ui.recipes import Recipe, cloud_name
from snfd.catalog import KINDS, Catalog
from snfd.observe import Metrics
from snfd.plugin import Mount
from tests.api.identity_cloud import URLS
from tests.api.memory import Response
from tests.logins.cloud import BrowsingCloud

CATALOG = Catalog(URLS, KINDS)


class WithAccess(BrowsingCloud):
    """The same with the page of tokens."""

    def _mounts(self) -> Any:
        cloud = self.cloud
        pages = AccessPages(
            self.desk(), self.accounts.accounts.tokens, cloud.projects, CATALOG
        )
        paper = Paper(build(PAGES, cloud.authenticator, pages))
        return [*super()._mounts(), Mount(ACCESS, "", paper)]


class AccessPageTests(SynchronousTestCase):
    """User demo, and project lab of which he is a member."""

    def setUp(self) -> None:
        self.cloud = WithAccess(self)
        self.cloud.root = Root(self.cloud._mounts(), Metrics(), self.cloud.cloud.clock)
        self.lab = self.cloud.cloud.project("lab", {}, demo="member")
        self.surfer = self.cloud.logged_in()

    def blocks(self, answer: Response) -> dict[str, str]:
        self.assertEqual(200, answer.status, answer.body)
        found = re.findall(
            r"<h2>(.*?)</h2>\n<pre tabindex=0>\n(.*?)</pre>", answer.body.decode(), re.S
        )
        return {unescape(name): unescape(body) for name, body in found}

    def made(self, **fields: str) -> dict[str, str]:
        return self.blocks(self.surfer.fill(ACCESS, **fields))

    def links(self) -> list[str]:
        page = self.surfer.get(ACCESS).body.decode()
        return re.findall(rf'href="({ACCESS}/[^"]+)"', page)

    def good(self, token: str) -> bool:
        answer = self.cloud.surfer().post(
            "/account/v1.0/user_catalogs", {"uuids": []}, token=token
        )
        return answer.status == 200

    def test_made_shown_once_and_ended(self) -> None:
        self.assertEqual([], self.links())
        token = self.made(label="<laptop>", project="")["The token"]
        self.assertTrue(self.good(token))
        (link,) = self.links()
        page = self.surfer.get(link)
        self.assertIn(b"&lt;laptop&gt;", page.body)
        self.assertIn(b"all your projects", page.body)
        for shown in (page, self.surfer.get(ACCESS)):
            self.assertNotIn(token.encode(), shown.body)
        self.assertEqual(302, self.surfer.fill(link).status)
        self.assertFalse(self.good(token))
        self.assertEqual([], self.links())
        self.assertEqual(404, self.surfer.get(link).status)

    def test_for_one_project_only(self) -> None:
        files = self.made(label="ci", project="LAB")
        for name, text in files.items():
            if name != "The token" and "kamaki" not in name:
                self.assertIn(str(self.lab), text)
        (link,) = self.links()
        self.assertIn(b"<dd>lab", self.surfer.get(link).body)
        answer = self.surfer.fill(ACCESS, label="ci", project="nobody's")
        self.assertEqual(400, answer.status)
        self.assertIn(b"no project of that name", answer.body)
        self.assertIn(b"nobody&#x27;s", answer.body)

    def test_the_files_hold_all_that_clients_need(self) -> None:
        files = self.made(label="x")
        token = files.pop("The token")
        self.assertEqual(4, len(files))
        for text in files.values():
            self.assertEqual(1, text.count(token))
        kamaki = files["~/.kamakirc"]
        self.assertIn("url = https://a.test/identity/v2.0\n", kamaki)
        self.assertIn('[cloud "test-cloud"]\n', kamaki)

    def test_nothing_without_a_session_and_a_form_of_ours(self) -> None:
        stranger = self.cloud.surfer()
        answer = stranger.get(ACCESS)
        self.assertEqual(302, answer.status)
        self.assertEqual(
            "/ui/login?next=%2Fui%2Fapi_access", answer.headers["location"]
        )
        self.assertEqual(403, self.surfer.form(ACCESS, {"label": "x"}).status)
        self.assertEqual([], self.links())
        self.made(label="x")
        (link,) = self.links()
        self.assertEqual(403, self.surfer.form(link, {}).status)
        self.cloud.cloud.user("other")
        other = self.cloud.logged_in("other")
        self.assertEqual(404, other.get(link).status)
        self.assertEqual(1, len(self.links()))

    def test_words_that_are_too_long(self) -> None:
        answer = self.surfer.fill(ACCESS, label="x" * 300)
        self.assertEqual(400, answer.status)
        self.assertEqual([], self.links())


class RecipeTests(SynchronousTestCase):
    """Names and secrets with characters that mean something."""

    def test_names_of_clouds(self) -> None:
        for service, name in (
            ("My Cloud", "my-cloud"),
            ("snfd", "snfd"),
            ('x"]\n[global]', "x-global"),
            ("Νέφος", "cloud"),
        ):
            self.assertEqual(name, cloud_name(service))

    def test_shells_and_yaml_read_what_was_meant(self) -> None:
        one = Recipe(CATALOG, "c", "o'neil: #x@example.org", "p", "s3cret")
        self.assertIn("OS_USERNAME='o'\"'\"'neil: #x@example.org'\n", one.openrc())
        self.assertIn('username: "o\'neil: #x@example.org"\n', one.clouds_yaml())
