"""The mount of the Pithos dialect."""

from __future__ import annotations

from collections.abc import Awaitable

from attrs import frozen
from twisted.web.http_headers import Headers

from api.dispatch import Authenticator
from api.objects.dispatch import ObjectsResource
from api.objects.opener import StreamingMount
from api.objects.paths import Target
from api.objects.pithos.accounts import AccountsApi
from api.objects.pithos.containers import ContainersApi
from api.objects.pithos.copying import CopyApi
from api.objects.pithos.faults import DIALECT
from api.objects.pithos.objects import ObjectsApi
from api.objects.reading import ObjectReader
from snfd.clock import Seconds
from snfd.objects.service import ObjectStore
from snfd.quota.service import Quota
from storage.download import Reader
from storage.upload import Sink
from storage.writer import Writer

MOUNT = "/object-store/v1"


@frozen(eq=False)
class _Opener:
    containers: ContainersApi
    objects: ObjectsApi

    def __call__(
        self, method: str, target: Target, args: frozenset[str], headers: Headers
    ) -> int | Awaitable[Sink] | None:
        """Decide on the body of a request (`api.objects.streams.BodyOpener`)."""
        if target.level == "object":
            return self.objects.open(method, target, args, headers)
        if target.level == "container":
            return self.containers.open(method, target, args, headers)
        return None


def build(
    store: ObjectStore,
    quota: Quota,
    writer: Writer,
    reader: Reader,
    authenticator: Authenticator,
    clock: Seconds,
) -> tuple[ObjectsResource, StreamingMount]:
    """What is mounted on ``/object-store/v1``, and what decides on its bodies."""
    containers = ContainersApi(store, writer, authenticator, clock)
    copies = CopyApi(store)
    objects = ObjectsApi(store, ObjectReader(reader), writer, authenticator, copies)
    parts = (AccountsApi(store, quota), containers, objects, copies)
    resource = ObjectsResource(
        DIALECT,
        authenticator,
        [route for part in parts for route in part.routes()],
        query_token=True,
    )
    return resource, StreamingMount(MOUNT, _Opener(containers, objects))
