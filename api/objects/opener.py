"""Decides, when the headers of a request are there, where its body goes."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from urllib.parse import unquote_to_bytes

from attrs import field, frozen
from twisted.web.http_headers import Headers

from api.objects.paths import all_arguments, target
from api.objects.streams import BodyOpener
from snfd.errors import Invalid
from storage.upload import Sink


@frozen(eq=False)
class StreamingMount:
    """A mount some of whose bodies are streamed.

    :ivar path: of the mount, as ``/v1``.
    :ivar segments: the parts of the path.
    """

    path: str
    open: BodyOpener
    segments: list[bytes] = field(init=False)

    @segments.default
    def _segments(self) -> list[bytes]:
        return self.path.strip("/").encode().split(b"/")


@frozen(eq=False)
class Opener:
    """The one opener of the main listener (`storage.upload.Opener`)."""

    _mounts: Sequence[StreamingMount]

    def __call__(
        self, method: bytes, uri: bytes, headers: Headers
    ) -> int | Awaitable[Sink] | None:
        """Ask the mount that ``uri`` lies below.

        A path that cannot be is left to the resource, which says why.
        """
        path = uri.partition(b"?")[0]
        parts = path.split(b"/")[1:]
        if b"%" in path:
            parts = [unquote_to_bytes(one) for one in parts]
        for mount in self._mounts:
            wanted = mount.segments
            if parts[: len(wanted)] != wanted:
                continue
            try:
                found = target(uri, len(wanted))
                keys = frozenset(all_arguments(uri))
            except Invalid:
                return None
            name = method.decode("ascii", "replace")
            return mount.open(name, found, keys, headers)
        return None
