"""Containers in the Swift dialect."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from api.objects import listing, paths
from api.objects.dispatch import Call, Result, Route, page_of, refuse
from api.objects.swift import views
from api.objects.swift.accounts import PREFIX, changes
from api.operations import Answer
from snfd.objects.model import Versioning
from snfd.objects.rules import SWIFT_META
from snfd.objects.service import ContainerChange, ObjectStore

LATER = ("x-container-read", "x-container-write", "x-versions-location",
         "x-history-location", "x-container-sync-to")  # fmt: skip
"""Headers whose neglect would surprise: refused until they are served."""


@frozen(eq=False)
class ContainersApi:
    """What can be done with containers."""

    _store: ObjectStore

    def routes(self) -> list[Route]:
        """All of it."""
        pages: Any = {"also": {204: None}, "query": listing.Listing}
        return [
            Route("container", "HEAD", self.head, status=204),
            Route("container", "GET", self.container, list[views.ObjectEntry], **pages),
            Route("container", "PUT", self.put, status=201, also={202: None}),
            Route("container", "POST", self.change, status=204),
            Route("container", "DELETE", self.delete, status=204),
        ]

    async def head(self, call: Call) -> Result:
        """Counters and metadata of a container."""
        path = paths.container(call.target, PREFIX)
        found = await self._store.containers.show(call.caller, path)
        return Answer(None, 204, views.container_headers(found))

    async def container(self, call: Call) -> Result:
        """One page of a container's objects."""
        path = paths.container(call.target, PREFIX)
        page = listing.query(call.args, listing.strict_limit(call.args), pithos=False)
        kind = listing.chosen(call.args, call.header("accept"))
        found, names = await self._store.objects.listing(call.caller, path, page)
        body = views.objects(names, kind, path.container)
        return page_of(body, kind, views.container_headers(found))

    async def put(self, call: Call) -> Result:
        """Make a container, or change the metadata of the one that is there."""
        path = paths.container(call.target, PREFIX)
        new = await self._store.containers.put(call.caller, path, change(call))
        return Answer(None, 201 if new else 202)

    async def change(self, call: Call) -> Result:
        """Change the metadata of a container."""
        path = paths.container(call.target, PREFIX)
        await self._store.containers.change(call.caller, path, change(call))
        return Answer(None, 204)

    async def delete(self, call: Call) -> Result:
        """Remove an empty container."""
        path = paths.container(call.target, PREFIX)
        await self._store.containers.delete(call.caller, path)
        return Answer(None, 204)


def change(call: Call) -> ContainerChange:
    """What a request wants of a container.

    :raises NotImplementedHere: something that is not served yet.
    """
    refuse(call.headers, LATER)
    enabled = call.header("x-versions-enabled")
    versioning = None
    if enabled is not None:
        versioning = Versioning.AUTO if truth(enabled) else Versioning.NONE
    return ContainerChange(
        limits=SWIFT_META,
        meta=changes(call.headers, "container"),
        versioning=versioning,
        fallback=Versioning.NONE,
    )


def truth(text: str) -> bool:
    """Whether a header says yes."""
    return text.strip().lower() in ("true", "1", "yes", "on", "t", "y")
