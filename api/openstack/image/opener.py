"""Decides on the data of an image before it comes."""

from __future__ import annotations

from collections.abc import Awaitable
from uuid import UUID

from attrs import frozen
from twisted.web.http_headers import Headers

from api.dispatch import Authenticator
from api.objects import headers as http
from api.objects.dispatch import token
from api.objects.paths import Target
from api.objects.streams import Opened, expected_length
from snfd.errors import BadMediaType, Invalid, NotFound
from snfd.image.hashing import HashingSink
from snfd.image.model import MAX_IMAGE
from snfd.image.uploads import ImageUploads
from snfd.tasks import Tasks
from storage.upload import Sink
from storage.workers import Workers
from storage.writer import Writer

BYTES = "application/octet-stream"


@frozen(eq=False)
class DataOpener:
    """Opens ``PUT /v2/images/<image>/file`` (`api.objects.streams.BodyOpener`)."""

    _uploads: ImageUploads
    _writer: Writer
    _workers: Workers
    _tasks: Tasks
    _authenticator: Authenticator

    def __call__(
        self, method: str, target: Target, args: frozenset[str], headers: Headers
    ) -> Awaitable[Sink] | None:
        """A sink for the data of an image; nothing for other bodies."""
        image, slash, rest = target.name.partition("/")
        place = (target.account, target.container, slash + rest)
        if method != "PUT" or place != ("v2", "images", "/file"):
            return None
        return self._open(image, headers)

    async def _open(self, image: str, headers: Headers) -> Sink:
        caller = await self._authenticator(token(headers))
        if (http.content_type(headers) or BYTES) != BYTES:
            raise BadMediaType(f"the data of an image is sent as {BYTES}")
        length = expected_length(headers)
        expected = _promised(headers) if length is None else length
        upload = await self._uploads.begin(caller, _uuid(image), expected)

        def aborted() -> None:
            self._tasks.start(self._uploads.cancel(upload), "cancelling an upload")

        try:
            inner = self._writer.open(md5=True, limit=MAX_IMAGE)
        except Exception:
            aborted()
            raise
        return HashingSink(inner, self._workers, Opened(caller, upload), aborted)


def _promised(headers: Headers) -> int | None:
    """The length that a client tells of a chunked body, if it does."""
    text = http.one(headers, "x-openstack-image-size")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid("x-openstack-image-size is no number")
    return int(text)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"no image {text!r}") from None
