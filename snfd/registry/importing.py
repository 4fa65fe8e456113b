"""Registering services: from definitions, and this daemon's own at its start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from attrs import frozen

from snfd.audit import DAEMON, Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid, NotFound
from snfd.quota import service as quota
from snfd.quota.model import Resource
from snfd.registry import store
from snfd.registry.document import ServiceDocument, Wanted, checked, decode
from snfd.registry.model import Component, Own, Service
from snfd.registry.service import MOST


@frozen
class Imported:
    """What came of a definition.

    :ivar skipped: services that are not public.
    :ivar resources: those that nobody knew before.
    """

    services: Sequence[str]
    skipped: Sequence[str]
    resources: Sequence[str]
    warnings: Sequence[str]


@frozen(eq=False)
class Services:
    """What administrators do with services, and which there are."""

    db: Database

    async def list(
        self,
        component: str | None = None,
        marker: str | None = None,
        limit: int = MOST,
    ) -> Sequence[Service]:
        """Services by name, from after ``marker``, at most ``limit``.

        :param component: only those of this one.
        """
        args = (marker, component, min(limit, MOST))
        return [store.service(row) for row in await self.db.read(store.SERVICES, args)]

    async def others(self) -> Sequence[Service]:
        """The services of other programs, for catalogs."""
        return [store.service(row) for row in await self.db.read(store.OTHERS, (MOST,))]

    async def import_(self, actor: Actor, document: bytes) -> Imported:
        """Register what a component publishes, all of it or nothing.

        A service that exists gets these endpoints instead of all it had. New
        resources get limits and holdings in every project.

        :raises Invalid: the document is not well-formed.
        :raises NotFound: it names a component that there is not.
        :raises Conflict: a service or resource is another component's, or a
            type is taken.
        """
        return await self.db.run(import_services, actor, decode(document))

    async def export(self, component: str) -> bytes:
        """The definition of a component's services, as JSON.

        :raises NotFound: there is no such component.
        """
        return await self.db.run(_export, component)

    async def register_own(
        self, own: Sequence[Own], ui_url: str, resources: Sequence[Resource]
    ) -> None:
        """Make the registry say what this daemon serves; again changes nothing.

        Several processes may do so at once.

        :param own: what is served here.
        :param ui_url: the daemon's pages.
        :param resources: what the daemon itself accounts for.
        """
        await self.db.run(_register_own, own, ui_url, resources)


async def import_services(
    tx: Transaction, actor: Actor, document: Mapping[str, ServiceDocument]
) -> Imported:
    """Register the public services of ``document``.

    :raises Invalid: as `Services.import_`.
    :raises NotFound: as `Services.import_`.
    :raises Conflict: as `Services.import_`.
    """
    await store.lock(tx)
    public = {name: one for name, one in document.items() if one.public}
    components = await _components(tx, {one.component for one in public.values()})
    services = [
        checked(name, one, components[one.component].base_url)
        for name, one in public.items()
    ]
    await _check_services(tx, services)
    await _check_resources(tx, services)
    for one in services:
        component = components[one.component]
        await store.upsert_service(tx, component.id, one.name, one.type, one.endpoints)
        await record(
            tx, actor, "service.import", f"service:{one.name}", component=one.component
        )
    new = await quota.register(tx, [r for one in services for r in one.resources])
    return Imported(
        [one.name for one in services],
        sorted(set(document).difference(public)),
        new,
        [text for one in services for text in one.warnings],
    )


async def _components(tx: Transaction, names: set[str]) -> dict[str, Component]:
    found = {}
    for name in sorted(names):
        component = await store.find(tx, name, lock=True)
        if component is None:
            raise NotFound(f"there is no component {name!r}: create it first")
        found[name] = component
    return found


async def _check_services(tx: Transaction, services: Sequence[Wanted]) -> None:
    """Refuse what is somebody else's, and what no catalog could list."""
    known = await store.services_named(
        tx, [one.name for one in services], [one.type for one in services]
    )
    names = {one.name: one for one in known}
    types = {one.type: one.name for one in known}
    for one in services:
        before = names.get(one.name)
        if before is not None and before.component != one.component:
            raise Conflict(f"service {one.name} is component {before.component}'s")
        if before is not None and before.builtin:
            raise Conflict(f"service {one.name} is served by this daemon itself")
        taken = types.setdefault(one.type, one.name)
        if taken != one.name:
            raise Conflict(f"the type {one.type!r} of {one.name} is {taken}'s already")


async def _check_resources(tx: Transaction, services: Sequence[Wanted]) -> None:
    """Refuse resources that another component accounts for."""
    wanted: dict[str, Wanted] = {}
    for one in services:
        for resource in one.resources:
            if wanted.setdefault(resource.name, one) is not one:
                raise Invalid(f"two services have the resource {resource.name}")
    for name, owner in (await store.owners(tx, sorted(wanted))).items():
        if owner != wanted[name].component:
            raise Conflict(f"the resource {name} is component {owner}'s")


async def _export(tx: Transaction, component: str) -> bytes:
    if await store.find(tx, component) is None:
        raise NotFound(f"there is no component {component!r}")
    services = await store.services_of(tx, component)
    resources = await quota.resources_of(tx, [one.name for one in services])
    told = {one.name: _told(one, resources) for one in services}
    return msgspec.json.format(msgspec.json.encode(told))


def _told(one: Service, resources: Sequence[Resource]) -> dict[str, object]:
    return {
        "type": one.type,
        "component": one.component,
        "public": True,
        "endpoints": list(one.endpoints),
        "resources": {
            resource.name.removeprefix(f"{one.component}."): {
                "name": resource.name,
                "desc": resource.description,
                "unit": resource.unit,
                "service_type": resource.service_type,
                "service_origin": resource.origin,
                "ui_visible": resource.ui_visible,
                "api_visible": resource.api_visible,
            }
            for resource in resources
            if resource.origin == one.name
        },
    }


async def _register_own(
    tx: Transaction, own: Sequence[Own], ui_url: str, resources: Sequence[Resource]
) -> None:
    await store.lock(tx)
    bases = {one.component: one.base_url for one in own}
    for name, base in sorted(bases.items()):
        await store.upsert_component(tx, name, base, ui_url)
    components = await _components(tx, set(bases))
    for one in own:
        component = components[one.component]
        await store.upsert_service(
            tx, component.id, one.name, one.type, [one.endpoint], builtin=True
        )
    if new := await quota.register(tx, resources):
        await record(tx, DAEMON, "resource.register", "registry", resources=list(new))
