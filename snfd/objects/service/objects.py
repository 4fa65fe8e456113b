"""Objects: show, send, list, describe, remove."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID, uuid4

from attrs import field, frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Statement
from snfd.errors import NotFound
from snfd.identity.model import Caller
from snfd.objects.conditions import NO_CONDITIONS, Conditions
from snfd.objects.model import (
    Container,
    ContainerPath,
    Content,
    Described,
    Listing,
    ObjectInfo,
    ObjectPath,
    Query,
)
from snfd.objects.rules import MetaLimits, Right, check_meta, check_right, merged
from snfd.objects.service import versions
from snfd.objects.service.accounting import Charge
from snfd.objects.service.containers import Containers
from snfd.objects.store import listing as pages
from snfd.objects.store import objects as store

T = TypeVar("T")


@frozen
class Revision:
    """What a request changes in an object besides its bytes.

    An empty value takes a key away.

    :ivar ctype: the new content type, or None to keep it.
    :ivar replace_user: whether the user's metadata that is not named goes.
    :ivar replace_http: the same for what is served with the bytes.
    :ivar limits: bounds on the user's metadata afterwards.
    """

    limits: MetaLimits
    user: Mapping[str, str] = field(factory=dict)
    http: Mapping[str, str] = field(factory=dict)
    ctype: str | None = None
    replace_user: bool = False
    replace_http: bool = False

    def of(self, info: ObjectInfo) -> Described:
        """The description that ``info``'s becomes.

        :raises Invalid: out of ``limits``.
        """
        old = info.described
        user = merged({} if self.replace_user else old.user, self.user)
        http = merged({} if self.replace_http else old.http, self.http)
        check_meta(user, self.limits)
        return Described(self.ctype or old.ctype, user, http)


@frozen(eq=False)
class Objects:
    """The objects of all accounts."""

    _db: Database
    _clock: Seconds
    _charge: Charge
    _containers: Containers
    _new_uuid: Callable[[], UUID] = uuid4

    async def info(self, caller: Caller, path: ObjectPath) -> ObjectInfo:
        """The current version.

        :raises Forbidden: the caller may not read it.
        :raises NotFound: no such container or object.
        """
        check_right(caller, path.account, Right.READ)
        return _there(store.info(path, await self._find(store.INFO, path)))

    async def content(self, caller: Caller, path: ObjectPath) -> Content:
        """The current version with its blocks.

        :raises Forbidden: the caller may not read it.
        :raises NotFound: no such container or object.
        """
        check_right(caller, path.account, Right.READ)
        return _there(store.content(path, await self._find(store.CONTENT, path)))

    async def listing(
        self, caller: Caller, path: ContainerPath, query: Query
    ) -> tuple[Container, Listing]:
        """The container and one page of its objects, by name.

        :raises Forbidden: the caller may not read it.
        :raises NotFound: no such container.
        """
        container = await self._containers.show(caller, path)
        rows = await self._db.read(*pages.statement(container.id, query))
        return container, pages.listing(rows)

    async def describe(
        self,
        caller: Caller,
        path: ObjectPath,
        revision: Revision,
        conditions: Conditions = NO_CONDITIONS,
    ) -> ObjectInfo:
        """Make a version with the same bytes and another description.

        :raises Forbidden: the caller may not write it.
        :raises NotFound: no such container or object.
        :raises PreconditionFailed: ``conditions`` do not hold.
        :raises Invalid: metadata out of bounds.
        """
        check_right(caller, path.account, Right.WRITE)
        wanted = versions.Wanted(
            path=path,
            described=Described(""),
            user=caller.user,
            payer=caller.user,
            uuid=self._new_uuid(),
            now=now(self._clock),
            conditions=conditions,
        )
        return await self._db.run(versions.describe, wanted, revision.of)

    async def delete(
        self,
        caller: Caller,
        path: ObjectPath,
        conditions: Conditions = NO_CONDITIONS,
    ) -> None:
        """Remove the object; its history stays if the container keeps one.

        :raises Forbidden: the caller may not write it.
        :raises NotFound: no such container or object.
        :raises PreconditionFailed: ``conditions`` do not hold.
        :raises Conflict: it is the data of an image.
        """
        check_right(caller, path.account, Right.WRITE)
        moment = now(self._clock)
        await self._db.run(
            versions.discard, self._charge, path, caller.user, moment, conditions
        )

    async def _find(self, statement: Statement, path: ObjectPath) -> tuple[object, ...]:
        rows = await self._db.read(statement, (path.account, path.container, path.name))
        if not rows:
            raise NotFound("no such container")
        return rows[0]


def _there(found: T | None) -> T:
    if found is None:
        raise NotFound("no such object")
    return found
