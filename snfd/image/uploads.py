"""Data for images: one upload at a time, which makes the image active."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from attrs import evolve, frozen

from snfd.clock import Seconds, now
from snfd.db.port import Database, Transaction, notify
from snfd.errors import Conflict, Unprocessable
from snfd.identity.model import Caller
from snfd.image import store
from snfd.image.model import CONTAINER, Image, Status, Sums, check_complete
from snfd.image.service import locked
from snfd.objects.model import (
    ContainerPath,
    Described,
    NewContent,
    ObjectPath,
    Versioning,
)
from snfd.objects.rules import PITHOS_META
from snfd.objects.service import (
    Charge,
    ContainerChange,
    Uploads,
    Wanted,
    commit,
    pin,
    put,
)

STALE = timedelta(hours=24)
"""After this time another upload may take an image over that is being saved."""


@frozen
class ImageUpload:
    """An upload that may start.

    :ivar token: tells this upload from others for the same image.
    :ivar expected: bytes that the client said there will be, or None.
    """

    caller: Caller
    image: Image
    token: UUID
    expected: int | None

    @property
    def path(self) -> ObjectPath:
        """Where the data will be."""
        return ObjectPath(self.image.project, CONTAINER, str(self.image.id))


@frozen(eq=False)
class ImageUploads:
    """Fills images."""

    _db: Database
    _clock: Seconds
    _charge: Charge
    _objects: Uploads
    _new_uuid: Callable[[], UUID] = uuid4

    async def begin(
        self, caller: Caller, ident: UUID, expected: int | None
    ) -> ImageUpload:
        """Whether data may come; the image is then being saved.

        Every upload that began must be finished or cancelled.

        :param expected: length of the data in bytes, or None if not known.
        :raises NotFound: the token's project sees no such image.
        :raises Forbidden: the caller may not change it.
        :raises Invalid: a format is missing.
        :raises Conflict: it has data, or is getting some.
        :raises OverQuota: there is no room for ``expected``.
        """
        upload = await self._db.run(
            _begin, caller, ident, expected, self._new_uuid(), now(self._clock)
        )
        try:
            await self._objects.check_room(caller, upload.image.project, expected or 0)
        except Exception:
            await self.cancel(upload)
            raise
        return upload

    async def finish(
        self, upload: ImageUpload, content: NewContent, sums: Sums
    ) -> None:
        """Make the image active; if that fails it is as before `begin`.

        :raises Unprocessable: not as long as was said.
        :raises Conflict: somebody took the image over, or it is gone.
        :raises OverQuota: there is no room.
        """
        try:
            if upload.expected not in (None, content.size):
                raise Unprocessable(
                    f"{upload.expected} bytes were promised, {content.size} came"
                )
            moment = now(self._clock)
            await self._db.run(_finish, self._charge, upload, content, sums, moment)
        except Exception:
            await self.cancel(upload)
            raise

    async def cancel(self, upload: ImageUpload) -> None:
        """The data did not come; again does no harm."""
        await self._db.run(
            store.queued, upload.image.id, upload.token, now(self._clock)
        )


async def _begin(
    tx: Transaction,
    caller: Caller,
    ident: UUID,
    expected: int | None,
    token: UUID,
    moment: datetime,
) -> ImageUpload:
    image, _ = await locked(tx, caller, ident)
    check_complete(image.details)
    if image.status is Status.SAVING:
        since = await store.saving_since(tx, ident)
        if since is not None and moment - since < STALE:
            raise Conflict(f"image {ident} is getting its data already")
    elif image.status is not Status.QUEUED:
        raise Conflict(f"image {ident} has its data already")
    await store.saving(tx, ident, token, moment)
    await notify(tx, "image", ident)
    return ImageUpload(caller, evolve(image, status=Status.SAVING), token, expected)


async def _finish(
    tx: Transaction,
    charge: Charge,
    upload: ImageUpload,
    content: NewContent,
    sums: Sums,
    moment: datetime,
) -> None:
    ident, path = upload.image.id, upload.path
    found = await store.lock(tx, ident)
    if found is None or found[1] != upload.token:
        raise Conflict(f"image {ident} was deleted, or filled by somebody else")
    change = ContainerChange(PITHOS_META, fallback=Versioning.NONE)
    await put(tx, ContainerPath(path.account, CONTAINER), change, moment)
    wanted = Wanted(
        path=path,
        described=Described("application/octet-stream"),
        user=upload.caller.user,
        payer=upload.caller.user,
        uuid=ident,
        now=moment,
    )
    made = await commit(tx, charge, wanted, content)
    # The commit has locked all that these touch, so nothing waits here.
    await pin(tx, made.info.map_id)
    await store.active(tx, ident, made.info.map_id, content.size, sums, moment)
    await notify(tx, "image", ident)
