"""What clusters fetch while they make a server: its image and its parameters.

A token is made when the job is submitted, so that it stands in no outbox, and
stored as its sha256. It is good for one complete transfer of an image; one that
breaks off goes on where it was with the same token, a few times. A document is
told once, and is gone then. A job that is submitted anew gets a new token, and the
old one is worth nothing.

snf-image takes the image's URL as a parameter of its own; our OS definition gets
all but the document's URL from the document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from attrs import frozen

from snfd import tokens
from snfd.clock import Seconds, now
from snfd.compute.progress import Reports
from snfd.compute.store import secrets
from snfd.db.port import Database, Transaction
from snfd.errors import NotFound
from snfd.ganeti.model import Kind
from snfd.ganeti.requests import Request
from snfd.intent import Intent
from snfd.sealed import HANDOFF, Sealer

HANDOFF_SECONDS = 7200
"""How long after the request, or its job, a cluster may fetch what it needs."""

MAX_ATTEMPTS = 100
"""How often one token may begin a transfer."""

IMAGE_FORMAT = "diskdump"
NO_IMAGE = "null"
"""The image of a document for a server that keeps its disk."""

OURS, THEIRS = "snfd", "snf-image"
"""OS definitions that take hand-offs; their names without the variant."""


def kind_of(os_name: str) -> str:
    """The name of an OS definition without its variant."""
    return os_name.partition("+")[0]


async def prepare(
    tx: Transaction,
    sealer: Sealer,
    server: int,
    document: Mapping[str, str],
    now: datetime,
    *,
    image: bool,
) -> None:
    """Have a fresh document ready for a server, new or not, instead of any other.

    The job that needs it gets the URLs when it is submitted; see
    `Handoffs.enrich`. Jobs of which kinds that are: `HANDED`.

    :param document: see `snfd.compute.accept.document`; every value is a text.
    :param image: whether its disk is to be written anew.
    """
    expires = now + timedelta(seconds=HANDOFF_SECONDS)
    if image:
        await secrets.offer(tx, server, "image", expires, None)
    else:
        await secrets.withdraw(tx, server, "image")
    plain = msgspec.json.encode(document)
    sealed = sealer.seal(plain, *HANDOFF.at(f"{server}/params"))
    await secrets.offer(tx, server, "params", expires, sealed)


@frozen
class Transfer:
    """A transfer of an image that has begun.

    :ivar image: which one.
    """

    id: int
    server: int
    image: UUID


HANDED = frozenset({Kind.CREATE, Kind.REINSTALL})
"""Jobs that run an OS definition's scripts."""


@frozen(eq=False)
class Handoffs:
    """One-time URLs for clusters.

    :ivar token: 32 unpredictable bytes.
    :ivar base_url: of the daemon as cluster nodes reach it.
    """

    db: Database
    clock: Seconds
    sealer: Sealer
    token: Callable[[], bytes]
    base_url: str

    @property
    def reports(self) -> Reports:
        """What clusters tell of builds."""
        return Reports(self.db, self.clock, self.sealer, self.token)

    async def enrich(self, request: Request, intent: Intent) -> Request:
        """Add the one-time URLs that a job needs, if its OS takes them."""
        if intent.kind not in HANDED:
            return request
        os_name = str(request.body.get("os_type") or request.body.get("os") or "")
        if kind_of(os_name) not in (OURS, THEIRS):
            return request
        server = int(intent.subject.partition(":")[2])
        given: dict[str, Any] = dict(request.body.get("osparams", {}))
        given.update(await self.db.run(self._arm, server, kind_of(os_name) == THEIRS))
        return request.with_body(osparams=given)

    async def _arm(self, tx: Transaction, server: int, image: bool) -> dict[str, str]:
        document, document_hash = self._fresh()
        given = {}
        if await secrets.arm(tx, server, "params", document_hash, self._expires()):
            path = f"vmapi/v1.0/server-params/{document}"
            given["config_url"] = f"{self.base_url}/{path}"
        return {**await self._image(tx, server), **given} if image else given

    async def _image(self, tx: Transaction, server: int) -> dict[str, str]:
        """Where a server's image is; empty where it keeps its disk."""
        image, image_hash = self._fresh()
        if not await secrets.arm(tx, server, "image", image_hash, self._expires()):
            return {}
        return {
            "img_id": f"{self.base_url}/vmapi/v1.0/image/{image}",
            "img_format": IMAGE_FORMAT,
        }

    def _fresh(self) -> tuple[str, bytes]:
        token = tokens.text(self.token())
        return token, tokens.digest(token)

    def _expires(self) -> datetime:
        return now(self.clock) + timedelta(seconds=HANDOFF_SECONDS)

    async def begin(self, token: str, peer: str | None = None) -> Transfer:
        """Begin the transfer of an image; see `complete`.

        :param peer: address that asks.
        :raises NotFound: the token is not good, or used up.
        """
        found = await self.db.run(
            secrets.claim, tokens.digest(token), peer, now(self.clock), MAX_ATTEMPTS
        )
        if found is None:
            raise NotFound("no such hand-off")
        return Transfer(*found)

    async def complete(self, transfer: Transfer) -> None:
        """Note that all of an image was sent; its token is good no longer."""
        await self.db.run(secrets.done, transfer.id, now(self.clock))

    async def document(self, token: str, peer: str | None = None) -> Mapping[str, str]:
        """The parameters of a server, once.

        :param peer: address that asks.
        :raises NotFound: the token is not good, or used up.
        """
        found = await self.db.run(self._redeem, token, peer)
        if found is None:
            raise NotFound("no such hand-off")
        return found

    async def _redeem(
        self, tx: Transaction, token: str, peer: str | None
    ) -> Mapping[str, str] | None:
        taken = await secrets.take(tx, tokens.digest(token), peer, now(self.clock))
        if taken is None:
            return None
        place, sealed = taken
        plain = self.sealer.open(sealed, *HANDOFF.at(f"{place.server}/params"))
        told = msgspec.json.decode(plain, type=dict[str, str])
        if kind_of(place.os_name) != OURS:
            return told
        report = await self.reports.token_of(tx, place.server, place.cluster)
        return {
            "img_id": NO_IMAGE,
            **await self._image(tx, place.server),
            "progress_url": f"{self.base_url}/vmapi/v1.0/progress/{report}",
            "hostname": place.name,
            **told,
        }
