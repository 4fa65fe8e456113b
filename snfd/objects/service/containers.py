"""Containers: make, show, change, remove."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from attrs import evolve, field, frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Forbidden, NotFound, NotImplementedHere
from snfd.identity.model import Caller
from snfd.objects.model import Container, ContainerPath, Policy, Versioning
from snfd.objects.rules import (
    MetaLimits,
    Right,
    check_container_name,
    check_meta,
    check_right,
    merged,
)
from snfd.objects.store import containers as store


@frozen
class ContainerChange:
    """What a request wants of a container; None leaves a policy as it is.

    :ivar limits: bounds on the metadata afterwards.
    :ivar meta: an empty value takes a key away.
    :ivar replace: whether metadata that is not named goes, and a policy that
        is not named falls back if any is.
    :ivar fallback: versioning of a new container that is not told any.
    """

    limits: MetaLimits
    meta: Mapping[str, str] = field(factory=dict)
    versioning: Versioning | None = None
    quota: int | None = None
    project: UUID | None = None
    replace: bool = False
    fallback: Versioning = Versioning.AUTO

    def policy(self, path: ContainerPath, old: Policy | None) -> Policy:
        """The policy that ``old`` becomes."""
        named = (self.versioning, self.quota, self.project)
        if old is None or (self.replace and any(one is not None for one in named)):
            project = old.project if old is not None else path.account
            old = Policy(self.fallback, quota=0, project=project)
        return Policy(
            versioning=self.versioning or old.versioning,
            quota=old.quota if self.quota is None else self.quota,
            project=self.project or old.project,
        )


@frozen(eq=False)
class Containers:
    """The containers of all accounts."""

    _db: Database
    _clock: Seconds

    async def show(self, caller: Caller, path: ContainerPath) -> Container:
        """The container with its counters.

        :raises Forbidden: the caller may not read the account.
        :raises NotFound: no such container.
        """
        check_right(caller, path.account, Right.READ)
        rows = await self._db.read(store.CONTAINER, (path.account, path.container))
        if not rows:
            raise NotFound("no such container")
        return store.container(rows[0])

    async def put(
        self, caller: Caller, path: ContainerPath, change: ContainerChange
    ) -> bool:
        """Make the container, or change the one that is there.

        :return: whether it is new.
        :raises Forbidden: the caller may not write the account, or is no
            member of the project that shall be charged.
        :raises Invalid: bad name, or metadata out of bounds.
        """
        check_right(caller, path.account, Right.WRITE)
        check_container_name(path.container)
        _check_project(caller, path, change)
        return await self._db.run(put, path, change, now(self._clock))

    async def change(
        self, caller: Caller, path: ContainerPath, change: ContainerChange
    ) -> None:
        """Change a container that is there.

        :raises Forbidden: the caller may not write the account.
        :raises NotFound: no such container.
        :raises Invalid: metadata out of bounds.
        """
        check_right(caller, path.account, Right.WRITE)
        await self._db.run(_change, path, change, now(self._clock))

    async def delete(self, caller: Caller, path: ContainerPath) -> None:
        """Remove a container that has no current objects, and its history.

        :raises Forbidden: the caller may not write the account.
        :raises NotFound: no such container.
        :raises Conflict: it is not empty.
        """
        check_right(caller, path.account, Right.WRITE)
        await self._db.run(_delete, path)


async def put(
    tx: Transaction, path: ContainerPath, change: ContainerChange, moment: datetime
) -> bool:
    """Make the container or merge ``change`` into it; whether it is new."""
    account_id = await store.ensure_account(tx, path.account, moment)
    meta = merged({}, change.meta)
    check_meta(meta, change.limits)
    policy = change.policy(path, None)
    if await store.insert(tx, account_id, path.container, policy, meta, moment):
        return True
    await _change(tx, path, evolve(change, replace=False), moment)
    return False


async def _change(
    tx: Transaction, path: ContainerPath, change: ContainerChange, moment: datetime
) -> None:
    old = await store.get(tx, path, lock="FOR NO KEY UPDATE")
    if old is None:
        raise NotFound("no such container")
    meta = merged({} if change.replace else old.meta, change.meta)
    check_meta(meta, change.limits)
    policy = change.policy(path, old.policy)
    if policy.project != old.policy.project:
        raise NotImplementedHere("a container cannot change its project yet")
    await store.update(tx, old.id, policy, meta, moment)


async def _delete(tx: Transaction, path: ContainerPath) -> None:
    found = await store.get(tx, path, lock="FOR UPDATE")
    if found is None:
        raise NotFound("no such container")
    if found.objects:
        raise Conflict("the container is not empty")
    await store.delete(tx, found.id)


def _check_project(
    caller: Caller, path: ContainerPath, change: ContainerChange
) -> None:
    project = change.project
    if project in caller.reads:
        raise Forbidden("your role in the project to be charged is read-only")
    if project is None or project == path.account or project in caller.projects:
        return
    raise Forbidden("you are no member of the project to be charged")
