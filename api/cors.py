"""Which pages of other sites may call the APIs from a browser.

Cookies are never among what they may send: they show a token, as programs do.
Source: https://fetch.spec.whatwg.org/#http-cors-protocol and ``spec/astakos.md`` §2.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen
from twisted.web.http_headers import Headers
from twisted.web.iweb import IRequest

ANY = b"*"
METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, COPY, MOVE"
SECONDS = b"3600"
"""How long a browser remembers what it was told."""

_HEADERS = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z, ]{1,4096}")


@frozen
class Cors:
    """What is told to browsers about other sites.

    :ivar origins: of pages that may call, as browsers write them; ``*`` for all.
    """

    origins: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, origins: Sequence[str]) -> Cors:
        """Those of the configuration."""
        return cls(frozenset(one.encode() for one in origins))

    def answers(self, request: IRequest) -> bool:
        """Tell the browser whether the page may read the answer.

        :returns: whether it only asked beforehand, and that was the answer.
        """
        if not self.origins:
            return False
        headers = request.responseHeaders = _Varying(request.responseHeaders)
        origin = _first(request, b"origin")
        if origin is None or not self.origins & {ANY, origin}:
            return False
        given = ANY if ANY in self.origins else origin
        headers.setRawHeaders(b"Access-Control-Allow-Origin", [given])
        headers.setRawHeaders(b"Access-Control-Expose-Headers", [ANY])
        wanted = _first(request, b"access-control-request-method")
        if request.method != b"OPTIONS" or wanted is None:
            return False
        headers.setRawHeaders(b"Access-Control-Allow-Methods", [METHODS])
        headers.setRawHeaders(b"Access-Control-Max-Age", [SECONDS])
        asked = _first(request, b"access-control-request-headers") or b""
        if _HEADERS.fullmatch(asked):
            headers.setRawHeaders(b"Access-Control-Allow-Headers", [asked])
        request.setResponseCode(204)
        return True


NOBODY = Cors()
"""No other site's page may call."""


class _Varying(Headers):
    """Headers of an answer that depends on the origin besides what else it says."""

    def __init__(self, told: Headers) -> None:
        Headers.__init__(self)
        self.setRawHeaders(b"Vary", [])
        for name, values in told.getAllRawHeaders():
            self.setRawHeaders(name, list(values))

    def setRawHeaders(self, name: Any, values: Any) -> None:
        """See `Headers.setRawHeaders`."""
        if name in (b"Vary", "Vary", b"vary", "vary"):
            said = [one.encode() if isinstance(one, str) else one for one in values]
            values = [b", ".join([*said, b"Origin"])]
        Headers.setRawHeaders(self, name, values)


def _first(request: IRequest, name: bytes) -> bytes | None:
    values: Sequence[bytes] = request.requestHeaders.getRawHeaders(name) or ()
    return values[0] if values else None
