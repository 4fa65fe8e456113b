"""What compute needs of the image service."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol
from uuid import UUID

from snfd.compute.model import ImageFacts
from snfd.identity.model import Caller


class Images(Protocol):
    """The images that servers are made from."""

    def usable(self, caller: Caller, image: UUID) -> Awaitable[ImageFacts]:
        """An image that servers can be made from.

        :raises NotFound: the caller sees no such image.
        :raises Conflict: it has no data yet.
        """
