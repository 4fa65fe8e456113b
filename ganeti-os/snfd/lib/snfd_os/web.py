"""HTTP as the scripts need it: no redirects, no proxies, no secrets in errors."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPException, HTTPResponse
from time import sleep as real_sleep
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from snfd_os import Failure

PATIENCE = 60.0
"""Seconds without a byte after which a connection is given up."""

PERSISTENCE = 120.0
"""Seconds for which one is tried that does not answer."""

_LARGEST_DOCUMENT = 4 << 20
_SOON = frozenset((408, 429, 500, 502, 503, 504))
BROKEN = (OSError, HTTPException)
"""What a connection that breaks off raises; `URLError` is an OSError."""


class Refused(Failure):
    """The server says no."""


class Away(Exception):
    """No answer; perhaps later."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A one-time URL is asked where it points to, and nowhere else."""


def opener() -> OpenerDirector:
    """What opens URLs; ``SNFD_OS_CA`` names a file of CA certificates to trust."""
    context = ssl.create_default_context(cafile=os.environ.get("SNFD_OS_CA") or None)
    https = HTTPSHandler(context=context)
    return build_opener(ProxyHandler({}), HTTPHandler(), https, _NoRedirects())


class Web:
    """Asks the daemon."""

    def __init__(
        self, open_: OpenerDirector, sleep: Callable[[float], None] = real_sleep
    ) -> None:
        self._open = open_
        self._sleep = sleep

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> HTTPResponse:
        """The answer to ``GET``, its body unread.

        :raises Refused: it is an error that stays.
        :raises Away: there is none now.
        """
        asked = self._request(url, None, headers or {})
        try:
            got: HTTPResponse = self._open.open(asked, timeout=PATIENCE)
        except HTTPError as error:
            error.close()
            if error.code in _SOON:
                raise Away(f"the answer is {error.code}") from None
            raise Refused(f"the answer is {error.code}") from None
        except URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise Refused("the certificate is not trusted here") from None
            raise Away(str(error.reason)) from None
        except BROKEN as error:
            raise Away(str(error) or type(error).__name__) from None
        return got

    def document(self, url: str) -> dict[str, str]:
        """A one-time document; asked again only while nobody answers.

        :raises Failure: it cannot be had.
        """
        waited, pause = 0.0, 0.5
        while True:
            try:
                with self.get(url) as got:
                    return _texts(got.read(_LARGEST_DOCUMENT))
            except Refused as error:
                raise Failure(f"the hand-off cannot be had: {error}") from None
            except (Away, *BROKEN) as error:
                if waited > PERSISTENCE:
                    raise Failure(f"the hand-off cannot be had: {error}") from None
            self._sleep(pause)
            waited, pause = waited + pause, min(5.0, pause * 1.5)

    def rest(self, seconds: float) -> None:
        """Wait."""
        self._sleep(seconds)

    def post(self, url: str, body: object) -> None:
        """Tell something.

        :raises OSError: it was not taken.
        """
        data = json.dumps(body).encode()
        asked = self._request(url, data, {"Content-Type": "application/json"})
        with self._open.open(asked, timeout=10):
            pass

    @staticmethod
    def _request(url: str, data: bytes | None, headers: Mapping[str, str]) -> Request:
        if urlsplit(url).scheme not in ("http", "https"):
            raise Failure("the hand-off's URL must be http or https")
        return Request(url, data, {"User-Agent": "snfd-os", **headers})


def _texts(raw: bytes) -> dict[str, str]:
    try:
        told = json.loads(raw)
    except ValueError:
        raise Failure("the hand-off is no JSON") from None
    if not isinstance(told, dict):
        raise Failure("the hand-off is no object")
    return {str(key): str(value) for key, value in told.items()}
