"""Clusters: register them, say what they are for, look at them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.admin.bodies import Short
from api.admin.lists import Listing
from api.operations import operation
from snfd.admin.backends import (
    BackendAsk,
    BackendFacts,
    BackendInfo,
    BackendRow,
    BackendViews,
)
from snfd.admin.rights import Right, Staff
from snfd.compute.backends import Backends, Changes
from snfd.ganeti.service import NewCluster

Hypervisor = Literal["kvm", "xen-pvm", "xen-hvm", "fake", "chroot", "lxc"]
Url = Annotated[str, Meta(min_length=1, max_length=255)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Secret = Annotated[str, Meta(max_length=255)]
Trust = Annotated[str, Meta(max_length=65536)]
Weight = Annotated[float, Meta(gt=0, le=1000)]


class NewBackend(Struct):
    """A cluster to be registered.

    :ivar tls_ca: PEM of the CA that signed its certificate, or ``sha256:`` and the
        fingerprint of that; null for the system's CAs.
    :ivar weight: how full it may be in comparison with others.
    """

    name: Name
    url: Url
    username: Name
    password: Secret | None = None
    tls_ca: Trust | None = None
    hypervisor: Hypervisor = "kvm"
    os_name: Name = "snf-image+default"
    public: bool = True
    drained: bool = False
    weight: Weight = 1.0

    def __repr__(self) -> str:
        return f"NewBackend(name={self.name!r}, …)"

    def wanted(self) -> NewCluster:
        """The cluster that it describes."""
        return NewCluster(
            name=self.name,
            url=self.url,
            username=self.username,
            password=self.password or "",
            tls_ca=self.tls_ca or None,
            hypervisor=self.hypervisor,
            os_name=self.os_name,
            public=self.public,
            drained=self.drained,
            weight=self.weight,
        )


class BackendChanges(Struct):
    """What shall be different; null leaves it.

    :ivar tls_ca: an empty string stands for the system's CAs.
    :ivar offline: nobody talks to it at all.
    """

    url: Url | None = None
    username: Name | None = None
    password: Secret | None = None
    tls_ca: Trust | None = None
    hypervisor: Hypervisor | None = None
    os_name: Name | None = None
    public: bool | None = None
    drained: bool | None = None
    offline: bool | None = None
    weight: Weight | None = None

    def __repr__(self) -> str:
        return "BackendChanges(…)"

    def wanted(self) -> Changes:
        """The changes that it describes."""
        return Changes(**{name: getattr(self, name) for name in self.__struct_fields__})


class Whom(Struct):
    """A project by uuid or name."""

    project: Short


class Person(Struct):
    """Somebody, by uuid, username or e-mail."""

    user: Short


class BackendsApi:
    """Clusters themselves."""

    def __init__(self, views: BackendViews, backends: Backends) -> None:
        self._views = views
        self._backends = backends

    @operation("GET", "/backends", query=BackendAsk)
    async def all(self, staff: Staff, query: BackendAsk) -> Listing[BackendRow]:
        """List clusters by id."""
        return Listing.of(await self._views.page(query))

    @operation("GET", "/backends/<backend>")
    async def show(self, staff: Staff, backend: str) -> BackendFacts:
        """Show what was set of a cluster, and whether it answers."""
        return await self._views.show(backend)

    @operation("GET", "/backends/<backend>/info")
    async def info(self, staff: Staff, backend: str) -> BackendInfo:
        """Tell what a cluster last told of itself, and what it carries."""
        return await self._views.info(backend)

    @operation("POST", "/backends", body=NewBackend, status=201)
    async def add(self, staff: Staff, body: NewBackend) -> BackendFacts:
        """Register a cluster; its password is never shown."""
        await self._backends.add(staff.to(Right.CLUSTERS), body.wanted())
        return await self._views.show(body.name)

    @operation("PATCH", "/backends/<backend>", body=BackendChanges)
    async def modify(
        self, staff: Staff, backend: str, body: BackendChanges
    ) -> BackendFacts:
        """Change a cluster."""
        actor = staff.to(Right.CLUSTERS)
        await self._backends.modify(actor, backend, body.wanted())
        return await self._views.show(backend)

    @operation("DELETE", "/backends/<backend>", status=204)
    async def remove(self, staff: Staff, backend: str) -> None:
        """Remove a cluster that carries no servers."""
        await self._backends.remove(staff.to(Right.CLUSTERS), backend)

    @operation("POST", "/backends/<backend>/refresh", status=202)
    async def refresh(self, staff: Staff, backend: str) -> None:
        """Have a cluster looked at now."""
        await self._backends.refresh(staff.to(Right.CLUSTERS), backend)


class ServedApi:
    """Whom clusters serve."""

    def __init__(self, views: BackendViews, backends: Backends) -> None:
        self._find = views.find
        self._backends = backends

    @operation("POST", "/backends/<backend>/projects", body=Whom, status=204)
    async def dedicate(self, staff: Staff, backend: str, body: Whom) -> None:
        """Keep a project to a cluster."""
        actor, project = (
            staff.to(Right.CLUSTERS),
            await self._find.project(body.project),
        )
        await self._backends.dedicate(actor, backend, project, wanted=True)

    @operation("DELETE", "/backends/<backend>/projects/<project>", status=204)
    async def release(self, staff: Staff, backend: str, project: str) -> None:
        """Keep a project to a cluster no longer."""
        actor, uuid = staff.to(Right.CLUSTERS), await self._find.project(project)
        await self._backends.dedicate(actor, backend, uuid, wanted=False)

    @operation("POST", "/backends/<backend>/people", body=Person, status=204)
    async def pin(self, staff: Staff, backend: str, body: Person) -> None:
        """Send a person's new servers to a cluster."""
        actor, person = staff.to(Right.CLUSTERS), await self._find.user(body.user)
        await self._backends.pin(actor, backend, person, wanted=True)

    @operation("DELETE", "/backends/<backend>/people/<user>", status=204)
    async def unpin(self, staff: Staff, backend: str, user: str) -> None:
        """Send a person's new servers to a cluster no longer."""
        actor, person = staff.to(Right.CLUSTERS), await self._find.user(user)
        await self._backends.pin(actor, backend, person, wanted=False)
