"""Changing what new users and projects get of a resource, and who sees it."""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve, frozen

from snfd.audit import Actor, record
from snfd.db.port import Database, Transaction
from snfd.errors import Invalid, NotFound
from snfd.quota import resource_store as store
from snfd.quota.model import UNLIMITED, Resource

T = TypeVar("T")


@frozen
class Defaults:
    """What changes of a resource; None leaves it.

    :ivar system: limit in the own projects of users who come from now on.
    :ivar project: limit in projects, made from now on, that do not mention it.
    """

    system: int | None = None
    project: int | None = None
    api_visible: bool | None = None
    ui_visible: bool | None = None


def changed(resource: Resource, wanted: Defaults) -> Resource:
    """``resource`` with what ``wanted`` says.

    What programs do not see, people do not see either.

    :raises Invalid: a limit is out of range, or both flags contradict each other.
    """
    for limit in (wanted.system, wanted.project):
        if limit is not None and not 0 <= limit <= UNLIMITED:
            raise Invalid(f"a limit is from 0 to {UNLIMITED}")
    api, ui = wanted.api_visible, wanted.ui_visible
    if ui and api is False:
        raise Invalid("what programs do not see, people cannot see")
    return evolve(
        resource,
        system_default=_or(wanted.system, resource.system_default),
        project_default=_or(wanted.project, resource.project_default),
        api_visible=True if ui else _or(api, resource.api_visible),
        ui_visible=False if api is False else _or(ui, resource.ui_visible),
    )


@frozen(eq=False)
class Resources:
    """What administrators do with resources."""

    db: Database

    async def modify(self, actor: Actor, name: str, wanted: Defaults) -> Resource:
        """Change a resource's defaults; limits that there are stay (§3.6).

        :raises NotFound: there is no such resource.
        :raises Invalid: as `changed`.
        """
        return await self.db.run(_modify, actor, name, wanted)


async def _modify(
    tx: Transaction, actor: Actor, name: str, wanted: Defaults
) -> Resource:
    before = await store.take(tx, name)
    if before is None:
        raise NotFound(f"there is no resource {name}")
    after = changed(before, wanted)
    if after != before:
        await store.set_defaults(tx, after)
        await record(
            tx,
            actor,
            "resource.modify",
            f"resource:{name}",
            system_default=after.system_default,
            project_default=after.project_default,
            api_visible=after.api_visible,
            ui_visible=after.ui_visible,
        )
    return after


def _or(value: T | None, other: T) -> T:
    return other if value is None else value
