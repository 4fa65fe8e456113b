"""What clusters fetch while they make a server: its image and its parameters.

A token is made when the job is submitted, so that it stands in no outbox, and
stored as its sha256. It is good for one complete transfer of an image; one that
breaks off may be tried again with the same token, a few times. A job that is
submitted anew gets a new token, and the old one is worth nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from attrs import frozen

from snfd import tokens
from snfd.clock import Seconds, now
from snfd.compute.accept import HANDOFF_SECONDS
from snfd.compute.store import secrets
from snfd.db.port import Database, Transaction
from snfd.errors import NotFound
from snfd.ganeti.model import Kind
from snfd.ganeti.requests import Request
from snfd.intent import Intent
from snfd.sealed import HANDOFF, Sealer

MAX_ATTEMPTS = 20
"""How often one token may begin a transfer."""

IMAGE_FORMAT = "diskdump"


def wanted_by(os_name: str) -> bool:
    """Whether an OS definition of that name takes snf-image's parameters."""
    return os_name.partition("+")[0] == "snf-image"


@frozen
class Transfer:
    """A transfer of an image that has begun.

    :ivar image: which one.
    """

    id: int
    server: int
    image: UUID


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

    async def enrich(self, request: Request, intent: Intent) -> Request:
        """Add the one-time URLs that a creation needs, if its OS takes them."""
        if intent.kind != Kind.CREATE or not wanted_by(request.body["os_type"]):
            return request
        server = int(intent.subject.partition(":")[2])
        given: dict[str, Any] = dict(request.body.get("osparams", {}))
        given.update(await self.db.run(self._arm, server))
        return request.with_body(osparams=given)

    async def _arm(self, tx: Transaction, server: int) -> Mapping[str, str]:
        image, image_hash = self._fresh()
        document, document_hash = self._fresh()
        expires = now(self.clock) + timedelta(seconds=HANDOFF_SECONDS)
        given = {}
        if await secrets.arm(tx, server, "image", image_hash, expires):
            given["img_id"] = f"{self.base_url}/vmapi/v1.0/image/{image}"
            given["img_format"] = IMAGE_FORMAT
        if await secrets.arm(tx, server, "params", document_hash, expires):
            path = f"vmapi/v1.0/server-params/{document}"
            given["config_url"] = f"{self.base_url}/{path}"
        return given

    def _fresh(self) -> tuple[str, bytes]:
        token = tokens.text(self.token())
        return token, tokens.digest(token)

    async def begin(self, token: str) -> Transfer:
        """Begin the transfer of an image; see `complete`.

        :raises NotFound: the token is not good, or used up.
        """
        found = await self.db.run(
            secrets.claim, "image", tokens.digest(token), now(self.clock), MAX_ATTEMPTS
        )
        if found is None or found.image is None:
            raise NotFound("no such hand-off")
        return Transfer(found.id, found.server, found.image)

    async def complete(self, transfer: Transfer) -> None:
        """Note that all of an image was sent; its token is good no longer."""
        await self.db.run(secrets.done, transfer.id, now(self.clock))

    async def document(self, token: str) -> Mapping[str, str]:
        """The parameters of a server, once.

        :raises NotFound: the token is not good, or used up.
        """
        found = await self.db.run(
            secrets.take, "params", tokens.digest(token), now(self.clock)
        )
        if found is None or found.sealed is None:
            raise NotFound("no such hand-off")
        place = HANDOFF.at(f"{found.server}/params")
        plain = self.sealer.open(found.sealed, *place)
        return msgspec.json.decode(plain, type=dict[str, str])
