"""Login passwords: the one that is kept, and one that shall be.

Nobody but a guest's own system can change its password, and a cluster has no way
into one that runs. So a new password waits, sealed, for the next start or reboot by
the API: that one runs the OS definition again, which leaves the disk's content and
puts a seed with the password on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from snfd.compute import handoff
from snfd.compute.model import Locked
from snfd.compute.store import guests, rows, secrets
from snfd.db.port import Transaction
from snfd.errors import NotImplementedHere
from snfd.ganeti import requests
from snfd.ganeti.requests import Request
from snfd.sealed import HANDOFF, WAITING_PASSWORD, Sealer


async def os_of(tx: Transaction, server: Locked) -> str:
    """The OS definition of a server's cluster.

    :raises NotImplementedHere: it takes no hand-offs.
    """
    name = await guests.os_name(tx, server.cluster)
    if handoff.kind_of(name) not in (handoff.OURS, handoff.THEIRS):
        raise NotImplementedHere("the server's cluster has no OS definition for that")
    return name


async def wait(
    tx: Transaction, sealer: Sealer, server: Locked, document: dict[str, str]
) -> None:
    """Have a document wait for the server's next start."""
    plain = msgspec.json.encode(document)
    sealed = sealer.seal(plain, *WAITING_PASSWORD.at(server.id))
    await rows.update(tx, server.id, new_password=sealed)


async def applied(
    tx: Transaction, sealer: Sealer, server: Locked, now: datetime
) -> Request:
    """The start of a locked server whose new password has waited for it.

    The document is ready for the cluster then; see `Handoffs.enrich`.

    :raises Unavailable: the key that sealed it is lost.
    """
    name = await os_of(tx, server)
    expires = now + timedelta(seconds=handoff.HANDOFF_SECONDS)
    waits = await guests.new_password(tx, server.id)
    assert waits is not None
    plain = sealer.open(waits, *WAITING_PASSWORD.at(server.id))
    sealed = sealer.seal(plain, *HANDOFF.at(f"{server.id}/params"))
    await secrets.withdraw(tx, server.id, "image")
    await secrets.offer(tx, server.id, "params", expires, sealed)
    kept = {"img_id": handoff.NO_IMAGE}
    return requests.reinstall(server.id, name, start=True, osparams=kept)
