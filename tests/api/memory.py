"""HTTP against a resource in memory: no TCP, no reactor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from attrs import frozen
from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.web.resource import IResource


@frozen
class Response:
    """One answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    set_cookies: Sequence[str] = ()

    @property
    def json(self) -> Any:
        """The body decoded."""
        return msgspec.json.decode(self.body)


class Browser:
    """A synchronous client of ``resource``.

    Works only where every service answers at once, as with a
    ``BlockingDatabase`` and fakes; anything else is pumped ``flushes`` times.
    """

    def __init__(self, resource: IResource, token: str | None = None) -> None:
        self._client: Any = StubTreq(resource)
        self.token = token

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        follow: bool = True,
    ) -> Response:
        """Make one request and wait for its answer; of redirects, for the last."""
        sent = {k: [v] for k, v in (headers or {}).items()}
        lower = {name.lower() for name in sent}
        token = token or self.token
        if token and "x-auth-token" not in lower:
            sent["X-Auth-Token"] = [token]
        if json is not None:
            data = msgspec.json.encode(json)
        if data is not None and "content-type" not in lower:
            sent["Content-Type"] = ["application/json"]
        done = self._client.request(
            method,
            "http://cloud.test" + path,
            headers=sent,
            data=data,
            allow_redirects=follow,
        )
        response = self._wait(done)
        body = self._wait(self._client.content(response))
        return Response(
            response.code,
            {
                k.decode().lower(): v[-1].decode("latin-1")
                for k, v in response.headers.getAllRawHeaders()
            },
            body,
            [
                value.decode("latin-1")
                for value in response.headers.getRawHeaders(b"Set-Cookie", [])
            ],
        )

    def get(self, path: str, **more: Any) -> Response:
        """``GET path``."""
        return self.request("GET", path, **more)

    def post(self, path: str, json: object = None, **more: Any) -> Response:
        """``POST path``."""
        return self.request("POST", path, json=json, **more)

    def put(self, path: str, json: object = None, **more: Any) -> Response:
        """``PUT path``."""
        return self.request("PUT", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> Response:
        """``DELETE path``."""
        return self.request("DELETE", path, **more)

    def _wait(self, awaited: Deferred[Any], flushes: int = 1000) -> Any:
        results: list[Any] = []
        awaited.addBoth(results.append)
        for _ in range(flushes):
            if results:
                break
            self._client.flush()
        assert results, "no answer: something waits for a reactor"
        if hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]
