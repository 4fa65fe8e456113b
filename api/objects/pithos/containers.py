"""Containers in the Pithos dialect."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from attrs import frozen
from twisted.web.http_headers import Headers

from api.dispatch import Authenticator
from api.objects import headers as http
from api.objects import listing, paths
from api.objects.dispatch import (
    Call,
    Result,
    Route,
    page_of,
    refuse_keys,
    token,
)
from api.objects.listing import Format
from api.objects.paths import Target
from api.objects.pithos import views
from api.objects.pithos.accounts import LATER, tilde
from api.objects.streams import Opened, expected_length
from api.operations import Answer
from snfd.clock import Seconds
from snfd.errors import Conflict, Invalid, NotImplementedHere
from snfd.objects.model import MAX_UPLOAD, Container, Versioning
from snfd.objects.rules import PITHOS_META
from snfd.objects.service import ContainerChange, ObjectStore
from storage.upload import Sink
from storage.writer import Writer

POLICY = "x-container-policy-"
BYTES = "application/octet-stream"

JUST_NOW = 120.0
"""Seconds around now that a client's clock may be off (`delete`)."""


@frozen(eq=False)
class ContainersApi:
    """What can be done with containers."""

    _store: ObjectStore
    _writer: Writer
    _authenticator: Authenticator
    _clock: Seconds

    def routes(self) -> list[Route]:
        """All of it."""
        pages: Any = {"also": {204: None}, "query": listing.Listing}
        return [
            Route("container", "HEAD", self.head, status=204),
            Route("container", "GET", self.container, list[views.ObjectEntry], **pages),
            Route("container", "PUT", self.put, status=201, also={202: None}),
            Route(
                "container",
                "POST",
                self.change,
                list[str],
                status=202,
                accepts={BYTES: bytes},
            ),
            Route("container", "DELETE", self.delete, status=204),
        ]

    def open(
        self, method: str, target: Target, args: frozenset[str], headers: Headers
    ) -> Awaitable[Sink] | None:
        """Decide on blocks that are sent to a container."""
        if method != "POST" or http.content_type(headers) != BYTES:
            return None
        if http.content_length(headers) == 0:
            return None
        return self._open(target, headers)

    async def head(self, call: Call) -> Result:
        """Counters, metadata and policy of a container."""
        refuse_keys(call.args, LATER)
        path = paths.container(call.target, "")
        found = await self._store.containers.show(call.caller, path)
        return Answer(None, 204, self._headers(found))

    async def container(self, call: Call) -> Result:
        """One page of a container's objects."""
        refuse_keys(call.args, LATER)
        path = paths.container(call.target, "")
        page = listing.query(call.args, listing.capped_limit(call.args), pithos=True)
        kind = listing.chosen(call.args, call.header("accept"))
        found, names = await self._store.objects.listing(call.caller, path, page)
        body = views.objects(names, kind, path.container)
        return page_of(body, kind, self._headers(found))

    async def put(self, call: Call) -> Result:
        """Make a container, or change the one that is there."""
        path = paths.container(call.target, "")
        change = changed(call.headers, replace=False)
        new = await self._store.containers.put(call.caller, path, change)
        return Answer(None, 201 if new else 202)

    async def change(self, call: Call) -> Result:
        """Change a container, or take blocks in without a name."""
        path = paths.container(call.target, "")
        if call.stream is None:
            change = changed(call.headers, replace=not call.flag("update"))
            await self._store.containers.change(call.caller, path, change)
            return Answer(None, 202)
        content = call.stream.content
        await self._store.uploads.show(call.caller, path, content)
        kind = listing.chosen(call.args, call.header("accept"), Format.JSON)
        body = views.digests(content.digests, kind)
        return Answer(body, 202, {"Content-Type": kind.content_type})

    async def delete(self, call: Call) -> Result:
        """Remove an empty container."""
        refuse_keys(call.args, ("delimiter",))
        path = paths.container(call.target, "")
        if call.flag("until") and not self._just_now(call.args["until"]):
            raise NotImplementedHere("purging history is not served yet")
        try:
            await self._store.containers.delete(call.caller, path)
        except Conflict:
            if not call.flag("until"):
                raise
            raise NotImplementedHere("purging history is not served yet") from None
        return Answer(None, 204)

    def _just_now(self, text: str) -> bool:
        """Whether ``until`` is kamaki's way to say: remove the container.

        It sends the time with a fraction (``spec/pithos.md`` §2.7).

        :raises Invalid: no time at all.
        """
        try:
            until = float(text)
        except ValueError:
            raise Invalid("until is no time in seconds since 1970") from None
        return "." in text and abs(until - self._clock.seconds()) <= JUST_NOW

    def _headers(self, container: Container) -> dict[str, str]:
        return views.container_headers(container, self._writer.block_size)

    async def _open(self, target: Target, headers: Headers) -> Sink:
        caller = await self._authenticator(token(headers))
        expected_length(headers)
        await self._store.uploads.may_show(caller, paths.container(target, ""))
        return self._writer.open(limit=MAX_UPLOAD, context=Opened(caller, None))


def changed(headers: Headers, replace: bool) -> ContainerChange:
    """What a request wants of a container.

    :raises Invalid: a policy that there is not, or a bad value.
    """
    policy = http.metadata(headers, POLICY, views.CODEC)
    unknown = set(policy) - {"Quota", "Versioning", "Project"}
    if unknown:
        raise Invalid(f"there is no policy {', '.join(sorted(unknown))}")
    versioning, quota = policy.get("Versioning", ""), policy.get("Quota", "")
    if versioning not in ("", "auto", "none"):
        raise Invalid("versioning is auto or none")
    if quota and not (quota.isascii() and quota.isdigit() and int(quota) < 2**63):
        raise Invalid("a quota is a number of bytes")
    return ContainerChange(
        limits=PITHOS_META,
        meta=tilde(http.metadata(headers, "x-container-meta-", views.CODEC)),
        versioning=Versioning(versioning) if versioning else None,
        quota=int(quota) if quota else None,
        project=_project(policy.get("Project", "")),
        replace=replace,
    )


def _project(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid("a project is named by its uuid") from None
