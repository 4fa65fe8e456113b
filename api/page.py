"""Pages that are no API: they can be read, and nothing else."""

from __future__ import annotations

from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Request

READS = (b"GET", b"HEAD")


class Page(Resource):
    """Answers GET and HEAD by ``render_GET``, all else with 405."""

    isLeaf = True

    def __init__(self) -> None:
        Resource.__init__(self)

    def render(self, request: Request) -> Any:
        """See `IResource.render`."""
        if request.method in READS:
            return self.render_GET(request)
        request.setResponseCode(405)
        request.setHeader(b"Allow", b", ".join(READS))
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        return b"this page can only be read\n"

    def render_GET(self, request: Request) -> Any:
        """The page."""
        raise NotImplementedError
