"""The mount of the image service."""

from __future__ import annotations

from api.dispatch import Authenticator, Served
from api.dispatch import build as served
from api.objects.opener import StreamingMount
from api.objects.reading import ObjectReader
from api.openstack.image.faults import DIALECT
from api.openstack.image.images import AboutApi, DataApi, ImagesApi, TagsApi
from api.openstack.image.opener import DataOpener
from snfd.image.service import Images
from snfd.image.uploads import ImageUploads
from snfd.tasks import Tasks
from storage.download import Reader
from storage.workers import Workers
from storage.writer import Writer

MOUNT = "/os/image"


def build(
    images: Images,
    uploads: ImageUploads,
    writer: Writer,
    reader: Reader,
    workers: Workers,
    tasks: Tasks,
    authenticator: Authenticator,
    base: str,
) -> tuple[Served, StreamingMount]:
    """What is mounted on ``/os/image``, and what decides on its bodies.

    :param base: URL of the mount, without a slash at its end.
    """
    resource = served(
        DIALECT,
        authenticator,
        AboutApi(base),
        ImagesApi(images),
        TagsApi(images),
        DataApi(images, uploads, ObjectReader(reader)),
    )
    opener = DataOpener(uploads, writer, workers, tasks, authenticator)
    return resource, StreamingMount(MOUNT, opener)
