"""Uploads: what is decided before the bytes come, and their name after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid, NotFound, OverQuota, TooLarge
from snfd.identity.model import Caller
from snfd.objects.conditions import NO_CONDITIONS, Conditions
from snfd.objects.model import (
    MAX_UPLOAD,
    Committed,
    ContainerPath,
    Described,
    NewContent,
    ObjectPath,
)
from snfd.objects.rules import Right, check_object_name, check_right
from snfd.objects.service import versions
from snfd.objects.service.accounting import DISKSPACE, Charge
from snfd.objects.store import containers, maps
from snfd.objects.store import objects as store
from snfd.quota.service import Quota
from storage.writer import Upload as Stored

WORTH_ASKING = 1024 * 1024
"""Bodies from this length on, in bytes, are checked against quota beforehand."""


@frozen
class Upload:
    """An upload that may start; its bytes are not there yet."""

    caller: Caller
    path: ObjectPath
    conditions: Conditions


@frozen(eq=False)
class Uploads:
    """Brings bytes that a client sends into an account."""

    _db: Database
    _clock: Seconds
    _charge: Charge
    _quota: Quota
    _new_uuid: Callable[[], UUID] = uuid4

    async def begin(
        self,
        caller: Caller,
        path: ObjectPath,
        size: int | None,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Upload:
        """Whether an upload may start, judged by what is known before it.

        All of it is checked once more by `finish`.

        :param size: length of the body in bytes, or None if not known.
        :raises Forbidden: the caller may not write in the account.
        :raises NotFound: no such container.
        :raises PreconditionFailed: ``conditions`` do not hold.
        :raises Conflict: the name holds the data of an image.
        :raises TooLarge: longer than one upload may be.
        :raises OverQuota: there is no room for ``size``.
        """
        check_right(caller, path.account, Right.WRITE)
        check_object_name(path.name)
        if size is not None and size > MAX_UPLOAD:
            raise TooLarge(f"an upload has at most {MAX_UPLOAD} bytes")
        place = await self._place(path)
        conditions.check_write(place.info)
        if place.image:
            raise Conflict("the object is the data of an image")
        growth = (size or 0) - (place.info.size if place.info is not None else 0)
        if 0 < place.quota < place.used + growth and growth > 0:
            raise OverQuota("the container's quota does not allow it")
        await self.check_room(caller, place.project, growth)
        return Upload(caller, path, conditions)

    async def finish(
        self, upload: Upload, content: NewContent, described: Described
    ) -> Committed:
        """Give the bytes that came their name.

        :raises CloudError: as `begin`.
        """
        wanted = versions.Wanted(
            path=upload.path,
            described=described,
            user=upload.caller.user,
            payer=upload.caller.user,
            uuid=self._new_uuid(),
            now=now(self._clock),
            conditions=upload.conditions,
        )
        return await self._db.run(versions.commit, self._charge, wanted, content)

    async def check_room(self, caller: Caller, project: UUID, growth: int) -> None:
        """Whether the caller may store ``growth`` bytes more, as it looks now.

        :raises OverQuota: he may not.
        """
        if growth < WORTH_ASKING:
            return
        usages = await self._quota.usage_in(caller, project)
        found = usages.get(DISKSPACE)
        if found is not None and found.usage + growth > found.effective_limit:
            raise OverQuota(
                f"{DISKSPACE}: {growth} bytes requested,"
                f" {max(found.effective_limit - found.usage, 0)} left",
                resource=DISKSPACE,
                limit=found.effective_limit,
                usage=found.usage,
                requested=growth,
            )

    async def may_show(self, caller: Caller, path: ContainerPath) -> None:
        """Whether the caller may send blocks without a name to a container.

        :raises Forbidden: the caller may not write in the account.
        :raises NotFound: no such container.
        """
        check_right(caller, path.account, Right.WRITE)
        params = (path.account, path.container)
        if not await self._db.read(containers.CONTAINER, params):
            raise NotFound("no such container")

    async def show(
        self, caller: Caller, path: ContainerPath, content: NewContent
    ) -> None:
        """Note that the account has the blocks of ``content``.

        :raises CloudError: as `may_show`.
        """
        check_right(caller, path.account, Right.WRITE)
        await self._db.run(_show, path, content)

    async def claim(
        self, upload: Upload, content: NewContent, described: Described
    ) -> Committed | Sequence[bytes]:
        """Make an object of blocks that the account has.

        :return: what came of it, or the digests that it lacks, each once, in
            the order in which they first appear.
        :raises CloudError: as `begin`.
        """
        account, own = upload.path.account, upload.caller.user
        missing = await self._db.run(_unclaimed, {account, own}, content.digests)
        if missing:
            return missing
        return await self.finish(upload, content, described)

    async def _place(self, path: ObjectPath) -> store.Place:
        params = (path.account, path.container, path.name)
        rows = await self._db.read(store.PLACE, params)
        if not rows:
            raise NotFound("no such container")
        return store.place(path, rows[0])


async def _show(tx: Transaction, path: ContainerPath, content: NewContent) -> None:
    found = await containers.get(tx, path)
    if found is None:
        raise NotFound("no such container")
    await maps.show(tx, found.account_id, maps.lengths(content))


async def _unclaimed(
    tx: Transaction, accounts: set[UUID], digests: Sequence[bytes]
) -> list[bytes]:
    return await maps.unclaimed(tx, sorted(accounts), digests)


def as_content(stored: Stored) -> NewContent:
    """What storage says of a stream, for object storage."""
    return NewContent(
        size=stored.size,
        digests=stored.hashes,
        root=stored.root,
        md5=stored.md5,
        block_size=stored.block_size,
    )


def check_hashmap(size: int, digests: Sequence[bytes], block_size: int) -> None:
    """Refuse a list of blocks that cannot be one of ``size`` bytes.

    :raises Invalid: the numbers do not fit.
    """
    if size < 0:
        raise Invalid("a size is not negative")
    wanted = -(-size // block_size)
    if len(digests) != wanted:
        raise Invalid(f"{size} bytes are {wanted} blocks, not {len(digests)}")
