"""Use cases of the image registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from attrs import frozen

from snfd.clock import Seconds, now
from snfd.compute.model import ImageFacts
from snfd.db.port import Database, Transaction, notify
from snfd.errors import Conflict, Forbidden, Invalid, NotFound
from snfd.identity.model import Caller, require_writer
from snfd.image import store
from snfd.image.model import (
    Details,
    Image,
    ImageQuery,
    Status,
    check_details,
    check_publishing,
)
from snfd.objects.service import Charge, Pinned, discard_by_id, pinned, unpin

Change = Callable[[Details], Details]
"""What a request makes of an image's details; raises what is wrong with it."""


@frozen
class ImageContent:
    """All that is needed to send an image's bytes.

    :ivar sha256: of all of them, in hex.
    """

    image: Image
    data: Pinned
    sha256: str

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.data.size

    @property
    def block_size(self) -> int:
        """Length of every block but the last, in bytes."""
        return self.data.block_size

    @property
    def digests(self) -> Sequence[bytes]:
        """The sha256 of each block, without its trailing zeros."""
        return self.data.digests


@frozen(eq=False)
class Images:
    """The registry: what images there are, and whose."""

    _db: Database
    _clock: Seconds
    _charge: Charge
    _new_uuid: Callable[[], UUID] = uuid4

    async def create(
        self, caller: Caller, details: Details, ident: UUID | None = None
    ) -> Image:
        """Enter an image that has no data yet, in the token's project.

        :param ident: the id it shall have, else a new one.
        :raises Forbidden: the caller may not write, or not publish.
        :raises Invalid: details that no image can have.
        :raises Conflict: there is an image with this id.
        """
        require_writer(caller)
        check_details(details)
        check_publishing(caller, details)
        moment = now(self._clock)
        new = Image(
            id=ident or self._new_uuid(),
            project=caller.project,
            owner=caller.user,
            status=Status.QUEUED,
            details=details,
            size=None,
            sums=None,
            map_id=None,
            created=moment,
            updated=moment,
        )
        await self._db.run(_create, new)
        return new

    async def show(
        self, caller: Caller, ident: UUID, projects: frozenset[UUID] | None = None
    ) -> Image:
        """An image that ``projects`` see.

        :param projects: by default the token's.
        :raises NotFound: there is none.
        """
        rows = await self._db.read(store.IMAGE, (ident,))
        if rows:
            found = store.image(rows[0])
            if found.seen_by(caller, projects or frozenset({caller.project})):
                return found
        raise NotFound(f"no image {ident}")

    async def list(
        self,
        caller: Caller,
        query: ImageQuery,
        projects: frozenset[UUID] | None = None,
    ) -> Sequence[Image]:
        """One page of the images that ``projects`` see.

        :param projects: by default the token's.
        :raises Invalid: no image has the marker's id.
        """
        projects = projects or frozenset({caller.project})
        found = await self._db.run(store.page, query, caller.is_admin, projects)
        if found is None:
            raise Invalid(f"marker {query.marker} is no image")
        return found

    async def update(self, caller: Caller, ident: UUID, change: Change) -> Image:
        """Change what the owner may set.

        :raises NotFound: the token's project sees no such image.
        :raises Forbidden: it belongs to another project, or the caller may not
            write, or not publish.
        :raises Invalid: details that no image can have.
        """
        moment = now(self._clock)
        return await self._db.run(_update, caller, ident, change, moment)

    async def delete(self, caller: Caller, ident: UUID) -> None:
        """Remove an image with its data.

        :raises NotFound: the token's project sees no such image.
        :raises Forbidden: it is protected, or belongs to another project.
        """
        moment = now(self._clock)
        await self._db.run(_delete, self._charge, caller, ident, moment)

    async def content(self, ident: UUID) -> ImageContent:
        """The data of an image; whoever asks must be known to see it.

        :raises NotFound: no such image.
        :raises Conflict: it has no data yet.
        """
        rows = await self._db.read(store.IMAGE, (ident,))
        if not rows:
            raise NotFound(f"no image {ident}")
        found = store.image(rows[0])
        if found.map_id is None or found.sums is None:
            raise Conflict(f"image {ident} has no data yet")
        data = await pinned(self._db, found.map_id)
        return ImageContent(found, data, found.sums.sha256.hex())

    async def usable(self, caller: Caller, image: UUID) -> ImageFacts:
        """An image that servers can be made from, in any of one's projects.

        :raises NotFound: the caller sees no such image.
        :raises Conflict: it has no data yet.
        """
        projects = caller.projects | {caller.project}
        found = await self.show(caller, image, projects)
        if found.status is not Status.ACTIVE or found.size is None:
            raise Conflict(f"image {image} has no data yet")
        properties = found.details.properties
        return ImageFacts(
            id=found.id,
            name=found.details.name,
            size=found.size,
            min_disk=found.details.min_disk,
            min_ram=found.details.min_ram,
            os=properties.get("os", properties.get("OS", "")),
            properties=properties,
        )


def check_owned(caller: Caller, image: Image) -> None:
    """Whether ``caller`` may change ``image``, which he sees.

    :raises Forbidden: he may not.
    """
    if caller.is_admin:
        return
    if image.project != caller.project:
        raise Forbidden("the image belongs to another project")
    require_writer(caller)


async def locked(
    tx: Transaction, caller: Caller, ident: UUID
) -> tuple[Image, UUID | None]:
    """An image that ``caller`` may change, locked, and its upload.

    :raises NotFound: he sees no such image.
    :raises Forbidden: he may not change it.
    """
    found = await store.lock(tx, ident)
    if found is None or not found[0].seen_by(caller, frozenset({caller.project})):
        raise NotFound(f"no image {ident}")
    check_owned(caller, found[0])
    return found


async def _create(tx: Transaction, new: Image) -> None:
    if not await store.insert(tx, new):
        raise Conflict(f"there is an image {new.id}")
    await notify(tx, "image", new.id)


async def _update(
    tx: Transaction, caller: Caller, ident: UUID, change: Change, moment: datetime
) -> Image:
    old, _ = await locked(tx, caller, ident)
    details = change(old.details)
    check_details(details)
    if details.visibility is not old.details.visibility:
        check_publishing(caller, details)
    await store.update(tx, ident, details, moment)
    await notify(tx, "image", ident)
    found = await store.lock(tx, ident)
    assert found is not None
    return found[0]


async def _delete(
    tx: Transaction, charge: Charge, caller: Caller, ident: UUID, moment: datetime
) -> None:
    image, _ = await locked(tx, caller, ident)
    if image.details.protected:
        raise Forbidden(f"image {ident} is protected")
    object_id = await store.delete(tx, ident)
    await notify(tx, "image", ident)
    if image.map_id is not None:
        await unpin(tx, image.map_id)
    if object_id is not None:
        await discard_by_id(tx, charge, object_id, caller.user, moment)
