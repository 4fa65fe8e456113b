"""A required login method, with the real daemon and a real OpenID provider."""

from __future__ import annotations

from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.functional.daemon import PASSWORD, Client, Daemon, Reply, running
from tests.lab import openid
from tests.logins.cloud import hidden_of

CONFIG = """
[[login]]
kind = "oidc"
name = "uni"
title = "University"
issuer = "{issuer}"
client_id = "snfd"
client_secret = "{secret}"
required = true
"""


@pytest.mark.rig("pocket")
@pytest.mark.xdist_group("oidc")
class RequiredTests(TestCase):
    skip = openid.missing()
    timeout = 300
    daemon: Daemon

    def setUp(self) -> None:
        provider = self.enterContext(openid.running([]))

        def written(var: Path) -> Path:
            text = CONFIG.format(issuer=provider.issuer, secret=openid.SECRET)
            (var / "snfd.toml").write_text(text)
            return var / "snfd.toml"

        self.daemon = self.enterContext(running(written, SNFD_SEED_DEMO="true"))
        self.base = f"http://127.0.0.1:{self.daemon.port}"
        self.back = f"{self.base}/ui/login/uni/authenticated"
        provider.order("client", **openid.client("snfd", self.back))
        self.cookies: dict[str, str] = {}

    def surf(self, path: str, form: dict[str, str] | None = None) -> Reply:
        """One request of a browser without scripts, to the daemon."""
        connection = HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
        cookie = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        headers = {"Cookie": cookie}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request("POST" if body else "GET", path, body, headers)
            got = connection.getresponse()
            for name, value in got.getheaders():
                if name.lower() == "set-cookie":
                    pair, _, _ = value.partition(";")
                    key, _, said = pair.partition("=")
                    self.cookies[key] = said
            told = {k.lower(): v for k, v in got.getheaders()}
            return Reply(got.status, told, got.read())
        finally:
            connection.close()

    def token(self) -> Reply:
        """A login of a program, by v3."""
        user = {"name": "demo", "domain": {"id": "default"}, "password": PASSWORD}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity}}
        return Client(self.daemon.port).post("/identity/v3/auth/tokens", body)

    def begun(self) -> str:
        """Sign in by password; the provider's page that this leads to."""
        page = self.surf("/ui/login")
        form = {"username": "demo", "password": PASSWORD}
        answer = self.surf("/ui/login", {**hidden_of(page.body), **form})
        self.assertEqual("/ui/login/required", answer.headers["location"])
        page = self.surf(answer.headers["location"])
        self.assertIn(b"Add University", page.body)
        self.assertEqual(401, self.surf("/account/v1.0/session").status)
        return self.surf("/ui/login/uni").headers["location"]

    def ended(self, answer: str) -> None:
        """Come back from there, and be in."""
        done = self.surf(answer)
        self.assertEqual(302, done.status, done.body)
        session = self.surf("/account/v1.0/session")
        self.assertEqual("demo", session.json["username"])
        self.assertEqual(201, self.token().status)
        self.assertEqual([], list(self.daemon.complaints()))

    async def test_it_is_added_on_the_way_in(self) -> None:
        refused = await deferToThread(self.token)
        self.assertEqual(403, refused.status)
        self.assertIn(b"University", refused.body)
        there = await deferToThread(self.begun)
        person = openid.Person(reactor)
        answer = await person.logs_in(there, self.back, "login=anna-1", "allow=yes")
        path = urlsplit(urljoin(self.base, self.back)).path
        await deferToThread(self.ended, f"{path}?{urlencode(answer)}")
