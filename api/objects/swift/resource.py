"""The mounts of the Swift dialect."""

from __future__ import annotations

from api.dispatch import Authenticator
from api.objects.dispatch import ObjectsResource
from api.objects.opener import StreamingMount
from api.objects.reading import ObjectReader
from api.objects.swift.accounts import PREFIX, AccountsApi
from api.objects.swift.containers import ContainersApi
from api.objects.swift.copying import CopyApi
from api.objects.swift.faults import DIALECT
from api.objects.swift.objects import ObjectsApi
from snfd.errors import PreconditionFailed
from snfd.objects.service import ObjectStore
from storage.download import Reader
from storage.writer import Writer

MOUNT = "/v1"


def build(
    store: ObjectStore, writer: Writer, reader: Reader, authenticator: Authenticator
) -> tuple[ObjectsResource, StreamingMount]:
    """What is mounted on ``/v1``, and what decides on its bodies."""
    copies = CopyApi(store)
    objects = ObjectsApi(store, ObjectReader(reader), writer, authenticator, copies)
    parts = (AccountsApi(store), ContainersApi(store), objects, copies)
    resource = ObjectsResource(
        DIALECT,
        authenticator,
        [route for part in parts for route in part.routes()],
        prefix=PREFIX,
        bad_path=PreconditionFailed,
    )
    return resource, StreamingMount(MOUNT, objects.open)
