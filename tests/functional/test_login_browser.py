"""People log in with Chromium: by password, by an OpenID provider, for programs."""

from __future__ import annotations

import os
import threading
import unittest
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.functional.daemon import PASSWORD, Client, Daemon, running
from tests.lab import openid
from tests.web import browser

CONFIG = """
[identity]
redirects = ["pithos://", "{landing}"]
moderation = false

[[login]]
kind = "oidc"
name = "uni"
title = "University"
issuer = "{issuer}"
client_id = "snfd"
client_secret = "{secret}"
autoverify = true
forced = ["email"]
"""


def fill(**fields: str) -> list[str]:
    """Commands that fill a form in."""
    return [
        f"value=document.getElementById('{name}').value = '{value}'"
        for name, value in fields.items()
    ]


class Landing(BaseHTTPRequestHandler):
    """Where a program waits for its token."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>landed</title><p>You may close this window."
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.mark.rig("pocket")
@pytest.mark.xdist_group("login-browser")
@pytest.mark.timeout(300)
class BrowserTests(unittest.TestCase):
    daemon: Daemon

    def setUp(self) -> None:
        if why := browser.missing() or openid.missing():
            self.skipTest(why)
        landing = ThreadingHTTPServer(("127.0.0.1", 0), Landing)
        thread = threading.Thread(target=landing.serve_forever, args=(0.1,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(landing.server_close)
        self.addCleanup(landing.shutdown)
        self.landing = f"http://127.0.0.1:{landing.server_port}/landed"
        provider = self.enterContext(openid.running([]))
        text = CONFIG.format(
            issuer=provider.issuer, secret=openid.SECRET, landing=self.landing
        )
        self.daemon = self.enterContext(
            running(written(text), SNFD_SEED_DEMO="true", SNFD_POCKET_ENABLED="true")
        )
        self.base = f"http://127.0.0.1:{self.daemon.port}"
        back = f"{self.base}/ui/login/uni/authenticated"
        provider.order("client", **openid.client("snfd", back))

    def visit(self, path: str, *commands: str) -> list[Any]:
        """Surf; nothing on the way may break a page's policy."""
        seen = browser.visit_and_wait(self.base + path, *commands, limit=90)
        # the picture that Chromium asks every site for
        problems = [one for one in seen.problems if "404" not in one]
        self.assertEqual([], problems)
        return list(seen.values)

    def test_astakos_66_weblogin(self) -> None:
        """A program opens the browser, somebody logs in, it has a token."""
        values = self.visit(
            f"/weblogin/login?next={quote(self.landing, safe='')}&state=s1",
            *fill(username="demo", password=PASSWORD),
            *shot("login"),
            "axe",
            "click=button",
            "wait-for-page=You may close this window",
            "value=location.href",
        )
        self.assertIn([], values)
        given = parse_qs(urlsplit(values[-1]).query)
        self.assertEqual(["s1"], given["state"])
        client = Client(self.daemon.port, given["token"][0])
        (uuid,) = given["uuid"]
        answer = client.post("/account/v1.0/user_catalogs", {"uuids": [uuid]})
        self.assertEqual([uuid], list(answer.json["uuid_catalog"]))
        self.assertNotIn(given["token"][0], self.daemon.log.read_text())

    def test_whoever_signs_in_sees_it(self) -> None:
        values = self.visit(
            "/ui/",
            "click=a[href$='/ui/login']",
            *fill(username="demo", password=PASSWORD),
            "click=button",
            "wait-for-page=Sign out",
            "click=a[href$='/ui/profile']",
            "wait-for-page=You are signed in",
            "axe",
            "theme=dark",
            "axe",
            "page",
            "click=a[href$='/ui/logout']",
            "wait-for-page=Sign in to",
            "axe",
        )
        self.assertEqual(3, values.count([]))
        self.assertIn("demo@localhost", values[-4])

    def test_somebody_new_comes_by_way_of_his_university(self) -> None:
        values = self.visit(
            "/ui/login",
            "click=a[href^='/ui/login/uni']",
            "wait-for-page=Who are you?",
            "click=button[value=anna-1]",
            "wait-for-page=Tell them?",
            "click=button[name=allow]",
            "wait-for-page=A new account with University",
            "value=document.getElementById('email').readOnly",
            "axe",
            "click=button",
            f"open={self.base}/ui/get_menu",
            "page",
            f"open={self.base}/ui/logout?next=https://evil.example/",
            "wait-for-page=Sign in with University",
            # who is logged in there is not asked again
            "click=a[href^='/ui/login/uni']",
            f"open={self.base}/account/v1.0/session",
            "page",
        )
        self.assertIn(True, values)
        told = [one for one in values if isinstance(one, str)]
        self.assertIn("anna@uni.example", told[0])
        self.assertIn("anna@uni.example", told[-1])
        self.assertEqual([], list(self.daemon.complaints()))


def written(text: str) -> Callable[[Path], Path]:
    """Writes a configuration into a data directory."""

    def write(var: Path) -> Path:
        path = var / "snfd.toml"
        path.write_text(text)
        return path

    return write


def shot(name: str) -> list[str]:
    """A command that takes a screenshot where ``SNFD_SHOTS`` wants them."""
    folder = os.environ.get("SNFD_SHOTS")
    return [f"screenshot={folder}/{name}.png"] if folder else []
