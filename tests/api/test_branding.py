"""``/branding``: what pages show of whose cloud it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from api import branding
from api.branding import images
from api.branding.names import BrandingView
from snfd.config import BrandingSection
from snfd.errors import Invalid, Unauthorized
from snfd.identity.model import Caller
from tests.api.memory import Browser

SITE = "https://cloud.example.org"


async def nobody(token: str | None) -> Caller:
    raise Unauthorized("nobody")


class BrandingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def browser(self, **chosen: Any) -> Browser:
        api = branding.BrandingApi(
            BrandingSection(**chosen), SITE, images.load(self.folder)
        )
        return Browser(branding.resource(nobody, api))

    def test_defaults_name_nobody_else(self) -> None:
        got = self.browser().get("/config.json")
        self.assertEqual(200, got.status)
        self.assertEqual(
            {
                "service": {"name": "snfd", "url": SITE},
                "company": {"name": "", "url": ""},
                "contact": "",
                "footer": "",
                "copyright": None,
                "colours": {"light": None, "dark": None},
                "images": {"logo": None, "logo_dark": None, "favicon": None},
            },
            got.json,
        )
        msgspec.json.decode(got.body, type=BrandingView)

    def test_what_is_set_is_shown(self) -> None:
        (self.folder / "logo.svg").write_bytes(b"<svg/>")
        (self.folder / "favicon.ico").write_bytes(b"icon")
        (self.folder / "secret.txt").write_bytes(b"no")
        browser = self.browser(
            service="Cloud", company="Acme", contact="help@acme.example.org",
            colour="#0066cc", footer="<b>hello</b>",
        )  # fmt: skip
        got = browser.get("/config.json").json
        self.assertEqual("© Acme", got["copyright"])
        self.assertEqual("#0066cc", got["colours"]["light"])
        self.assertEqual("/branding/images/logo.svg", got["images"]["logo"])
        picture = browser.get("/images/logo.svg")
        self.assertEqual(b"<svg/>", picture.body)
        self.assertEqual("image/svg+xml", picture.headers["content-type"])
        self.assertIn("sandbox", picture.headers["content-security-policy"])
        self.assertEqual("nosniff", picture.headers["x-content-type-options"])
        for name in ("secret.txt", "logo.png", "..%2Fsecret.txt", "logo"):
            self.assertIn(browser.get(f"/images/{name}").status, (400, 404), name)

    def test_copyright_can_be_said_otherwise_or_not_at_all(self) -> None:
        said = self.browser(company="Acme", copyright="(c) us")
        self.assertEqual("(c) us", said.get("/config.json").json["copyright"])
        hidden = self.browser(company="Acme", show_copyright=False)
        self.assertIsNone(hidden.get("/config.json").json["copyright"])

    def test_pictures_that_cannot_be_had_are_told_at_start(self) -> None:
        self.assertRaises(Invalid, images.load, Path("/nonexistent"))
        (self.folder / "logo.png").write_bytes(b"x" * (images.MAX_BYTES + 1))
        self.assertRaises(Invalid, images.load, self.folder)
        self.assertEqual({}, images.load(None))
