"""A certified OpenID provider (npm's ``oidc-provider``) on loopback."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import treq
from attrs import field, frozen
from treq.client import HTTPClient
from twisted.web.client import Agent, HTTPConnectionPool

from tests.lab.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "lab" / "oidc"
SECRET = "hush: 50% + more/~"
"""Has to be encoded before it is encoded (RFC 6749 §2.3.1)."""

USERS: Mapping[str, Mapping[str, Any]] = {
    "anna-1": {
        "email": "anna@uni.example",
        "email_verified": True,
        "given_name": "Anna",
        "family_name": "Ampère",
        "groups": ["physics", "admin"],
    },
    "bela-2": {"email": "bela@uni.example", "email_verified": False},
    "cleo-3": {},
}


def missing() -> str | None:
    """Why there is no provider; with ``CI=true`` there must be one."""
    if os.environ.get("CI") == "true" or (FOLDER / "node_modules").is_dir():
        return None
    return "the OpenID provider is not installed: scripts/prepare lab"


def client(name: str, back: str, **more: Any) -> Mapping[str, Any]:
    """A client as the provider has it registered."""
    public = more.get("token_endpoint_auth_method") == "none"
    return {
        "client_id": name,
        **({} if public else {"client_secret": SECRET}),
        "redirect_uris": [back],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        **more,
    }


@frozen
class OpenIdProvider:
    """A running provider."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return f"http://127.0.0.1:{self.port}"

    def order(self, name: str, **what: Any) -> Any:
        """Have it do something; what it says of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", f"/lab/{name}", json.dumps(what))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def told(self) -> Sequence[str]:
        """What it gave and refused since it was asked last."""
        found: Sequence[str] = self.order("told")
        return found


@contextmanager
def running(
    clients: Sequence[Mapping[str, Any]], *, inside: bool = False
) -> Iterator[OpenIdProvider]:
    """A provider that answers; ends with the block.

    :param inside: whether ID tokens have all claims, and not userinfo alone.
    """
    port = free_port()
    given = {"port": port, "users": USERS, "clients": clients, "inside": inside}
    process = subprocess.Popen(
        [
            str(ROOT / "web" / "build.sh"), "node",
            str(FOLDER / "server.mjs"), json.dumps(given),
        ],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"listening\n":
            raise AssertionError("the OpenID provider did not start")
        yield OpenIdProvider(port, process)
    finally:
        process.kill()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


@frozen
class Person:
    """Somebody with a browser that runs no scripts."""

    reactor: Any
    jar: Any = field(factory=CookieJar)

    async def logs_in(self, url: str, back: str, *presses: str) -> Mapping[str, str]:
        """Go to ``url`` and press buttons; the query that leads to ``back``."""
        pool = HTTPConnectionPool(self.reactor, persistent=False)
        http_ = HTTPClient(Agent(self.reactor, pool=pool), self.jar)
        rest: list[str] = list(presses)
        form: dict[str, str] = {}
        while not url.startswith(back):
            method = "POST" if form else "GET"
            answer = await http_.request(
                method, url, data=form or None, allow_redirects=False, timeout=60
            )
            text = await treq.text_content(answer)
            form = {}
            where = answer.headers.getRawHeaders("location")
            if where:
                url = urljoin(url, where[0])
            elif rest and answer.code == 200:
                name, value = rest.pop(0).split("=")
                assert re.search(f'name={name} value="?{value}', text), text
                form = {name: value}
            else:
                raise AssertionError(f"{answer.code} at {url}: {text}")
        return dict(parse_qsl(urlsplit(url).query))
