"""The HTTP side of the test cloud: every mount in memory, tokens are names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from attrs import define, evolve, field
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

import api.openstack.compute
import api.openstack.network
import api.synnefo.compute
import api.synnefo.network
from api.dispatch import Served
from snfd.clock import Seconds
from snfd.compute.console import ConsoleTickets
from snfd.compute.service import Compute
from snfd.config import Urls
from snfd.errors import NotFound, Unauthorized
from snfd.identity.model import Caller
from snfd.image.model import Image, ImageQuery
from snfd.network.service import NetworkServices
from snfd.quota.service import Quota
from tests.api.memory import Browser
from tests.compute.kit import ComputeCloud, XorSealer, compute_cloud

BASE = "http://cloud.test"


class NoImages:
    """An image registry with nothing in it."""

    async def list(self, caller: Caller, query: ImageQuery) -> list[Image]:
        return []

    async def show(self, caller: Caller, ident: UUID) -> Image:
        raise NotFound(f"no image {ident}")

    async def content(self, ident: UUID) -> Any:
        raise NotFound(f"no image {ident}")


@define(eq=False)
class HttpCloud:
    """What the plugins get, and browsers of each user for each mount."""

    parts: ComputeCloud
    images: Any = field(factory=NoImages)
    urls: Urls = field(factory=lambda: Urls(BASE, BASE, BASE, BASE))
    tickets: ConsoleTickets = field(init=False)
    good: bool = True
    lost: set[UUID] = field(factory=set)
    reads: set[UUID] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.tickets = ConsoleTickets(
            self.parts.people.db,
            self.clock,
            XorSealer(),
            self.parts.new_id,
            lambda: self.parts.dice.randbytes(32),
            self.parts.dice.randrange,
            self._holder,
        )

    async def _holder(self, token_hash: bytes) -> Caller | None:
        caller = self.parts.caller(token_hash.rstrip(b".").decode())
        if not self.good:
            return None
        return evolve(
            caller, projects=caller.projects - self.lost, reads=frozenset(self.reads)
        )

    async def authenticator(self, token: str | None) -> Caller:
        name, _, project = (token or "").partition("@")
        if name not in ("demo", "other", "watcher", "boss"):
            raise Unauthorized("no such token")
        default = "alt" if name == "other" else "demo"
        return self.parts.caller(name, project or default)

    @property
    def compute(self) -> Compute:
        return self.parts.compute

    @property
    def networks(self) -> NetworkServices:
        return self.parts.networks

    @property
    def quota(self) -> Quota:
        return self.parts.people.quota

    @property
    def clock(self) -> Seconds:
        return self.parts.people.clock

    def browser(self, resource: Served, token: str = "demo") -> Browser:
        assert isinstance(resource, Resource)
        return Browser(resource, token)

    def nova(self, token: str = "demo") -> Browser:
        return self.browser(api.openstack.compute.resource(self), token)

    def neutron(self, token: str = "demo") -> Browser:
        return self.browser(api.openstack.network.resource(self), token)

    def cyclades(self, token: str = "demo") -> Browser:
        return self.browser(api.synnefo.compute.resource(self), token)

    def cyclades_network(self, token: str = "demo") -> Browser:
        return self.browser(api.synnefo.network.resource(self), token)


def http_cloud(case: SynchronousTestCase) -> HttpCloud:
    """A cloud with HTTP in front; see `compute_cloud`."""
    return HttpCloud(compute_cloud(case))
