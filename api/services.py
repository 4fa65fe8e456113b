"""What the APIs of servers and networks need of the cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from api.dispatch import Authenticator
from snfd.clock import Seconds
from snfd.compute.console import ConsoleTickets
from snfd.compute.service import Compute
from snfd.config import Urls
from snfd.identity.model import Caller
from snfd.image.model import Image, ImageQuery
from snfd.network.service import NetworkServices
from snfd.quota.service import Quota


class Images(Protocol):
    """What is needed of the image service."""

    async def list(self, caller: Caller, query: ImageQuery) -> Sequence[Image]:
        """One page of images."""

    async def show(self, caller: Caller, ident: UUID) -> Image:
        """One image.

        :raises NotFound: the caller sees none.
        """


class Computing(Protocol):
    """Servers, and who asks for them."""

    @property
    def authenticator(self) -> Authenticator:
        """Says who a token stands for."""

    @property
    def compute(self) -> Compute:
        """Servers."""


class Services(Computing, Protocol):
    """What servers and networks are made of, in every dialect."""

    @property
    def networks(self) -> NetworkServices:
        """Networks."""

    @property
    def images(self) -> Images:
        """Images."""

    @property
    def tickets(self) -> ConsoleTickets:
        """Console tickets."""

    @property
    def quota(self) -> Quota:
        """Limits and use."""

    @property
    def urls(self) -> Urls:
        """Where everything is reached."""

    @property
    def clock(self) -> Seconds:
        """The time of day."""
