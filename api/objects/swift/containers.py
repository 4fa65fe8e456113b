"""Accounts and containers in the Swift dialect."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.web.http_headers import Headers

from api.objects import headers as http
from api.objects import listing, paths
from api.objects.dispatch import Call, Result, Route, page_of, refuse
from api.objects.swift import views
from api.operations import Answer
from snfd.objects.model import Versioning
from snfd.objects.rules import SWIFT_META
from snfd.objects.service import ContainerChange, ObjectStore

PREFIX = "AUTH_"

LATER = ("x-container-read", "x-container-write", "x-versions-location",
         "x-history-location", "x-container-sync-to")  # fmt: skip
"""Headers whose neglect would surprise: refused until they are served."""


@frozen(eq=False)
class ContainersApi:
    """What can be done with accounts and containers."""

    _store: ObjectStore

    def routes(self) -> list[Route]:
        """All of it."""
        pages: Any = {"also": {204: None}, "query": listing.Listing}
        return [
            Route("account", "HEAD", self.head_account, status=204),
            Route("account", "GET", self.account, list[views.ContainerEntry], **pages),
            Route("account", "POST", self.describe, status=204),
            Route("container", "HEAD", self.head, status=204),
            Route("container", "GET", self.container, list[views.ObjectEntry], **pages),
            Route("container", "PUT", self.put, status=201, also={202: None}),
            Route("container", "POST", self.change, status=204),
            Route("container", "DELETE", self.delete, status=204),
        ]

    async def head_account(self, call: Call) -> Result:
        """Counters and metadata of an account."""
        account = paths.account(call.target, PREFIX)
        found = await self._store.accounts.show(call.caller, account)
        return Answer(None, 204, views.account_headers(found))

    async def account(self, call: Call) -> Result:
        """One page of an account's containers."""
        uuid = paths.account(call.target, PREFIX)
        page = listing.query(call.args, listing.strict_limit(call.args), pithos=False)
        kind = listing.chosen(call.args, call.header("accept"))
        account = await self._store.accounts.show(call.caller, uuid)
        found = await self._store.accounts.containers(call.caller, uuid, page)
        body = views.containers(found, kind, call.target.account)
        return page_of(body, kind, views.account_headers(account))

    async def describe(self, call: Call) -> Result:
        """Change the metadata of an account."""
        account = paths.account(call.target, PREFIX)
        meta = changes(call.headers, "account")
        await self._store.accounts.describe(
            call.caller, account, meta, SWIFT_META, replace=False
        )
        return Answer(None, 204)

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


def changes(headers: Headers, kind: str) -> dict[str, str]:
    """Metadata to set, and with an empty value what to take away."""
    gone = http.metadata(headers, f"x-remove-{kind}-meta-", views.CODEC)
    new = http.metadata(headers, f"x-{kind}-meta-", views.CODEC)
    return {**dict.fromkeys(gone, ""), **new}


def truth(text: str) -> bool:
    """Whether a header says yes."""
    return text.strip().lower() in ("true", "1", "yes", "on", "t", "y")
