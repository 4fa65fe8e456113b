"""Pages of other sites: which may call, and what browsers are told about it.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from __future__ import annotations

import msgspec
from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.static import Data

from api.cors import Cors
from api.dispatch import build
from api.root import Root
from snfd.config import Listen
from snfd.observe import Metrics
from snfd.plugin import Mount
from tests.api.memory import Browser, Response
from tests.api.test_operations import DIALECT, ThingsApi, authenticate

UI = "https://ui.example.org"
ALLOW = "access-control-allow-origin"


class CorsTests(SynchronousTestCase):
    """An API at /a, a page at /ui."""

    def browser(self, *origins: str) -> Browser:
        mounts = [
            Mount("/a", "toy", build(DIALECT, authenticate, ThingsApi())),
            Mount("/ui", "", Data(b"page", "text/html")),
        ]
        return Browser(Root(mounts, Metrics(), Clock(), cors=Cors.of(origins)))

    def ask(
        self, browser: Browser, origin: str, method: str = "GET", path: str = "/a/no"
    ) -> Response:
        return browser.request(method, path, headers={"Origin": origin})

    def before(self, browser: Browser, origin: str, **more: str) -> Response:
        headers = {"Origin": origin, "Access-Control-Request-Method": "PUT", **more}
        return browser.request("OPTIONS", "/a/things", headers=headers)

    def test_nobody_unless_it_is_said(self) -> None:
        browser = self.browser()
        for answer in (self.ask(browser, UI), self.before(browser, UI)):
            self.assertNotIn(ALLOW, answer.headers)
            self.assertNotIn("Origin", answer.headers.get("vary", ""))
        self.assertEqual(405, self.before(browser, UI).status)

    def test_whoever_is_named(self) -> None:
        browser = self.browser(UI, "http://localhost:5173")
        for origin in (UI, "http://localhost:5173"):
            answer = self.ask(browser, origin)
            self.assertEqual((404, origin), (answer.status, answer.headers[ALLOW]))
            self.assertEqual("*", answer.headers["access-control-expose-headers"])
            self.assertIn("Origin", answer.headers["vary"])
            self.assertNotIn("access-control-allow-credentials", answer.headers)

    def test_nobody_else(self) -> None:
        browser = self.browser(UI)
        for origin in (
            "https://evil.example", "null", f"{UI}.evil.example", f"{UI}:444",
            "http://ui.example.org", "https://UI.example.org", "", f"{UI}/",
        ):  # fmt: skip
            self.assertNotIn(ALLOW, self.ask(browser, origin).headers, origin)
            answer = self.before(browser, origin)
            self.assertEqual(405, answer.status)
            self.assertNotIn(ALLOW, answer.headers, origin)
        self.assertIn("Origin", self.ask(browser, "https://x").headers["vary"])

    def test_what_is_asked_beforehand(self) -> None:
        browser = self.browser(UI)
        wanted = "content-type, x-auth-token"
        answer = self.before(browser, UI, **{"Access-Control-Request-Headers": wanted})
        self.assertEqual((204, b""), (answer.status, answer.body))
        self.assertEqual(UI, answer.headers[ALLOW])
        self.assertEqual(wanted, answer.headers["access-control-allow-headers"])
        self.assertIn("PUT", answer.headers["access-control-allow-methods"])
        long = {"Access-Control-Request-Headers": "x" * 5000}
        answer = self.before(browser, UI, **long)
        self.assertNotIn("access-control-allow-headers", answer.headers)

    def test_everybody(self) -> None:
        browser = self.browser("*")
        self.assertEqual("*", self.ask(browser, UI).headers[ALLOW])
        self.assertEqual(204, self.before(browser, "null").status)

    def test_pages_are_for_nobody(self) -> None:
        answer = self.ask(self.browser("*"), UI, path="/ui")
        self.assertNotIn(ALLOW, answer.headers)
        self.assertNotIn(ALLOW, self.ask(self.browser("*"), UI, path="/x").headers)

    def test_what_an_answer_varies_by_is_kept(self) -> None:
        varying = evolve(DIALECT, headers={"Vary": "X-Auth-Token"})
        mount = Mount("/a", "toy", build(varying, authenticate, ThingsApi()))
        root = Root([mount], Metrics(), Clock(), cors=Cors.of([UI]))
        for path in ("/a/no", "/a/things/1"):
            told = self.ask(Browser(root), UI, path=path).headers["vary"]
            self.assertEqual("X-Auth-Token, Origin", told)

    def test_what_may_be_configured(self) -> None:
        for origin in ("*", UI, "http://[::1]:8080"):
            self.assertEqual([origin], self.configured(origin).origins)
        for origin in (f"{UI}/", "ui.example.org", "https://a b", "ftp://x", ""):
            self.assertRaises(msgspec.ValidationError, self.configured, origin)

    def configured(self, origin: str) -> Listen:
        return msgspec.convert({"origins": [origin]}, Listen)
