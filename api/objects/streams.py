"""Bodies that go into blocks while they arrive, and what became of them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from attrs import frozen
from twisted.web.http_headers import Headers

from api.objects import headers as http
from api.objects.paths import Target
from snfd.errors import LengthRequired, Unprocessable
from snfd.identity.model import Caller
from snfd.objects.model import NewContent
from snfd.objects.service import as_content
from storage.upload import Sink, received, sink_of


@frozen
class Opened:
    """What was decided when the headers of a request were there.

    :ivar plan: the dialect's own; for the handler that takes the body.
    """

    caller: Caller
    plan: Any


@frozen
class Streaming:
    """A body that has arrived, as blocks."""

    opened: Opened
    content: NewContent


class BodyOpener(Protocol):
    """Decides about bodies below one mount, before they come."""

    def __call__(
        self, method: str, target: Target, args: frozenset[str], headers: Headers
    ) -> int | Awaitable[Sink] | None:
        """A sink, a number of bytes to buffer at most, or None for the default.

        :param args: keys of the query string.
        """
        ...


async def streamed(request: Any) -> Streaming | None:
    """What became of the body of ``request``; None if it has no sink.

    :raises CloudError: why it was refused, or could not be stored.
    """
    if not getattr(request, "streams", False):
        return None
    stored = await received(request)
    opened: Opened = sink_of(request).context
    return Streaming(opened, as_content(stored))


def expected_length(headers: Headers) -> int | None:
    """Length of the body to come in bytes; None if it tells its own end.

    :raises LengthRequired: it tells nothing.
    """
    length = http.content_length(headers)
    if length is None and not http.is_chunked(headers):
        raise LengthRequired("a body needs Content-Length or chunked encoding")
    return None if http.is_chunked(headers) else length


def wants_md5(headers: Headers) -> bool:
    """Whether the client says which MD5 the body must have."""
    return len(http.etag(http.one(headers, "etag") or "")) == 32


def check_etag(headers: Headers, content: NewContent) -> None:
    """Compare the body with the hash that the client sent, of either kind.

    :raises Unprocessable: it is another one.
    """
    wanted = http.etag(http.one(headers, "etag") or "")
    if not wanted:
        return
    known = {content.root.hex(), content.md5.hex() if content.md5 else ""}
    if wanted not in known:
        raise Unprocessable("the body does not have the hash given as ETag")
