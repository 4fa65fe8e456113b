"""Puts an image into the registry at the first start."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from attrs import evolve

from snfd.identity.model import Caller
from snfd.image.hashing import HashingSink
from snfd.image.model import Details, Image, ImageQuery, Status, Sums, Visibility
from snfd.image.service import Images
from snfd.image.uploads import ImageUploads
from snfd.objects.service import as_content
from storage.workers import Workers
from storage.writer import Writer

_PIECE = 1024 * 1024


async def ensure_public(
    images: Images,
    uploads: ImageUploads,
    writer: Writer,
    workers: Workers,
    admin: Caller,
    details: Details,
    data: AsyncIterable[bytes],
) -> Image:
    """The public image of that name, made of ``data`` if there is none.

    An earlier attempt that did not come to its end is taken up again.

    :param admin: in whose project it is made; may publish.
    :param details: its visibility is taken to be public.
    """
    found = await images.list(
        admin, ImageQuery(limit=1, names=[details.name], visibility="public")
    )
    image = found[0] if found else await images.create(admin, _public(details))
    if image.map_id is not None:
        return image
    if image.status is Status.SAVING:  # by a process that was killed
        await images.delete(admin, image.id)
        image = await images.create(admin, _public(details))
    upload = await uploads.begin(admin, image.id, None)
    sink = HashingSink(writer.open(md5=True), workers, None, lambda: None)
    try:
        async for piece in data:
            waiting = sink.write(piece)
            if waiting is not None:
                await waiting
        stored = await sink.close()
    except BaseException:
        sink.abort()
        await uploads.cancel(upload)
        raise
    assert stored.md5 is not None
    sums = Sums(stored.md5, sink.sha256, sink.sha512)
    await uploads.finish(upload, as_content(stored), sums)
    return await images.show(admin, image.id)


def _public(details: Details) -> Details:
    return evolve(details, visibility=Visibility.PUBLIC)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """``data`` as a stream."""
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]
