"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hmac import compare_digest

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from twisted.internet.defer import Deferred
from twisted.web.server import NOT_DONE_YET, Request

from api.page import Page
from snfd.errors import CloudError
from snfd.observe import Metrics


class Health(Page):
    """Answers 200 as long as the process turns its loop."""

    def render_GET(self, request: Request) -> bytes:
        """Say so."""
        request.setHeader(b"Content-Type", b"text/plain")
        return b"ok\n"


class Readiness(Page):
    """Answers 200 while ``ready`` holds, else 503 with what is missing.

    :param ready: returns, or raises a `CloudError` that says what is away.
    """

    def __init__(self, ready: Callable[[], Awaitable[None]]) -> None:
        Page.__init__(self)
        self._ready = ready

    def render_GET(self, request: Request) -> int:
        """Look, then say."""
        look = Deferred.fromCoroutine(self._look(request))
        request.notifyFinish().addErrback(lambda _: look.cancel())
        look.addErrback(lambda _: None)
        return NOT_DONE_YET

    async def _look(self, request: Request) -> None:
        text = "ready"
        try:
            await self._ready()
        except CloudError as error:
            request.setResponseCode(503)
            text = error.told
        request.setHeader(b"Content-Type", b"text/plain")
        request.write(text.encode() + b"\n")
        request.finish()


class MetricsPage(Page):
    """Prometheus's text form of all metrics.

    :param token: who shows it as a bearer may look; ``None`` lets anyone.
    """

    def __init__(self, metrics: Metrics, token: str | None) -> None:
        Page.__init__(self)
        self._metrics = metrics
        self._token = token

    def render_GET(self, request: Request) -> bytes:
        """All samples, or 401."""
        if self._token is not None:
            shown = request.getHeader(b"authorization") or b""
            wanted = b"Bearer " + self._token.encode()
            if not self._token or not compare_digest(shown, wanted):
                request.setResponseCode(401)
                request.setHeader(b"WWW-Authenticate", b"Bearer")
                request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
                return b"a bearer token is needed: [metrics] token\n"
        request.setHeader(b"Content-Type", CONTENT_TYPE_LATEST.encode())
        return generate_latest(self._metrics.registry)
