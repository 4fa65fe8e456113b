"""Consoles: tickets, and the sockets that they open."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from twisted.internet.endpoints import HostnameEndpoint

from snfd.clock import now
from snfd.compute.console import ConsoleTickets
from snfd.db.database import PostgresDatabase
from snfd.db.listener import Listener
from snfd.identity.model import Caller
from snfd.identity.service import holder
from snfd.tasks import Tasks
from vnc.console import Consoles
from vnc.model import ConsoleTarget, Limits

if TYPE_CHECKING:
    from snfd.wiring import Ground


def secret() -> bytes:
    """What a ticket, or a token of a new server, is made of."""
    return secrets.token_bytes(32)


def tickets(ground: Ground, db: PostgresDatabase) -> ConsoleTickets:
    """What issues tickets and redeems them."""

    async def who(hash_: bytes) -> Caller | None:
        return await holder(db, hash_, now(ground.reactor))

    return ConsoleTickets(
        db,
        ground.reactor,
        ground.keys,
        uuid4,
        secret,
        secrets.randbelow,
        who,
    )


def consoles(ground: Ground, issued: ConsoleTickets, tasks: Tasks) -> Consoles:
    """What serves the sockets, for tickets that were ``issued``."""

    async def redeem(ticket: str, peer: str) -> ConsoleTarget:
        screen = await issued.redeem(ticket, peer)
        return ConsoleTarget(
            screen.session,
            screen.server,
            screen.user,
            screen.host,
            screen.port,
            client_password=screen.password,
        )

    chosen = ground.config.console
    return Consoles(
        redeem,
        partial(HostnameEndpoint, ground.reactor),
        issued.still_valid,
        issued.ended,
        ground.reactor,
        tasks,
        Limits(sessions=chosen.sessions, per_user=chosen.sessions_per_user),
    )


def watch(served: Consoles, listener: Listener) -> None:
    """Close what may no longer be open as soon as somebody says so."""

    def left(server: str) -> None:
        if server.isdecimal():
            served.close_server(int(server))

    async def recheck(_: str = "") -> None:
        await served.recheck()

    listener.subscribe("console", left, recheck)
    listener.subscribe("token", recheck, lambda: None)
