"""One connection to PostgreSQL, as the reactor sees it.

txpostgres does the connecting. Statements do not go through its cursors: closed
in the middle of a statement these leave their descriptor's number behind in the
reactor, where the next connection with that number is then deaf; and each
statement costs four calls to epoll. A wire stays registered for its whole life,
under a descriptor of its own that libpq cannot close behind the reactor's back.
"""

from __future__ import annotations

import ipaddress
import os
import select
import socket
from collections.abc import Callable
from typing import Any

import psycopg2
from attrs import define, field, frozen
from psycopg2 import extensions
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReadWriteDescriptor
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from txpostgres.txpostgres import Connection
from zope.interface import implementer

from snfd.db import adapters
from snfd.db.port import Params, Row, Statement
from snfd.errors import Timeout, Unavailable

_LOST = "the connection to PostgreSQL was lost"
_AWAY = "the database is not to be reached; try again"


@frozen
class Line:
    """Where PostgreSQL is and what every connection to it asks for.

    :ivar dsn: libpq's connection string.
    :ivar settings: server settings of the session, such as its time limits.
    :ivar connect: limit for becoming connected, in seconds.
    """

    dsn: str
    settings: tuple[tuple[str, str], ...] = ()
    connect: float = 5.0
    name: str = "snfd"

    def arguments(self) -> dict[str, str]:
        """The DSN's parts with ours added; the DSN's own have precedence."""
        given = extensions.parse_dsn(self.dsn)
        ours = [("timezone", "UTC"), ("bytea_output", "hex"), *self.settings]
        options = " ".join(f"-c {key}={value}" for key, value in ours)
        return {
            "application_name": self.name,
            "keepalives_idle": "30",
            "keepalives_interval": "10",
            "keepalives_count": "3",
            **given,
            "client_encoding": "UTF8",
            "options": f"{options} {given.get('options', '')}".strip(),
        }


@implementer(IReadWriteDescriptor)
@define(eq=False)
class Wire:
    """An open connection; one statement at a time.

    :ivar on_lost: told once, with the reason, when it ends by itself.
    :ivar on_notify: told the payload of every notification.
    :ivar prepared: the statements that this connection knows, by name.
    :ivar heard: when PostgreSQL last said something, by the reactor's clock.
    """

    _reactor: Any
    _connection: Any
    _fd: int
    heard: float
    on_lost: Callable[[str], object] = lambda _: None
    on_notify: Callable[[str], object] = lambda _: None
    prepared: dict[str, Statement] = field(init=False, factory=dict)
    _cursor: Any = field(init=False, default=None)
    _answer: Deferred[Any] | None = field(init=False, default=None)
    _log = Logger()

    def send(self, sql: str, params: Params = ()) -> Deferred[Any]:
        """Run ``sql``; psycopg2's cursor with the result.

        Cancelling the answer closes the connection: a statement cannot be
        taken back.

        :raises psycopg2.Error: PostgreSQL refused it.
        :raises Unavailable: the connection is, or was meanwhile, lost.
        """
        if self._fd < 0:
            return fail(Unavailable(_LOST))
        try:
            cursor = self._connection.cursor()
            cursor.execute(sql, params or None)
        except Exception as error:
            return fail(adapters.as_domain_error(error) or error)
        answer: Deferred[Any] = Deferred(lambda _: self.close())
        self._cursor, self._answer = cursor, answer
        self._advance()
        return answer

    async def execute(self, statement: Statement, params: Params) -> list[Row]:
        """Run ``statement``, prepared now unless it is already; its rows."""
        known = self.prepared.get(statement.name)
        if known is None:
            await self.send(adapters.prepare_text(statement))
            self.prepared[statement.name] = statement
        elif known != statement:
            raise ValueError(f"two statements are named {statement.name}")
        try:
            return rows_of(
                await self.send(adapters.execute_text(statement, params), params)
            )
        except psycopg2.errors.FeatureNotSupported:
            # A migration changed what the statement returns: plan it anew.
            if known is None:
                raise
            del self.prepared[statement.name]
            await self.send(f"DEALLOCATE {statement.name}")
        return await self.execute(statement, params)

    @property
    def closed(self) -> bool:
        """Whether it is of no use any more."""
        return self._fd < 0

    @property
    def status(self) -> int:
        """psycopg2's ``TRANSACTION_STATUS_…``; asks nobody."""
        return int(self._connection.get_transaction_status())

    def sound(self) -> bool:
        """Take notice of what the reactor has not told yet; False if closed."""
        if self._fd < 0:
            return False
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        # A server's last words are one read, the end of the stream another.
        for _ in range(4):
            if not poll.poll(0):
                return True
            self._advance()
            if self._fd < 0:
                return False
        return True

    def close(self, reason: str = _LOST, *, late: bool = False) -> None:
        """End it; a statement that is under way fails with ``reason``.

        :param late: tell it as `Timeout`, not just as `Unavailable`.
        """
        if self._fd < 0:
            return
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        os.close(self._fd)
        self._fd = -1
        if not self._connection.closed:
            self._connection.close()
        self._settle(Failure((Timeout if late else Unavailable)(reason)))

    # What the reactor calls

    def fileno(self) -> int:
        """The descriptor to watch, or -1."""
        return self._fd

    def logPrefix(self) -> str:
        """What the reactor's log calls it."""
        return "postgresql"

    def doRead(self) -> None:
        """Something arrived."""
        self._advance()

    def doWrite(self) -> None:
        """There is room to send."""
        self._reactor.removeWriter(self)
        self._advance()

    def connectionLost(self, reason: Failure) -> None:
        """The other end is gone, or the reactor stops."""
        self._lose(reason.getErrorMessage())

    def _advance(self) -> None:
        try:
            state = self._connection.poll()
        except psycopg2.Error as error:
            self._refused(error)
            return
        self.heard = self._reactor.seconds()
        if state == extensions.POLL_WRITE:
            self._reactor.addWriter(self)
        elif state == extensions.POLL_OK:
            self._settle(self._cursor)
        notices = self._connection.notifies
        while notices and self._fd >= 0:
            self.on_notify(notices.pop(0).payload)

    def _refused(self, error: psycopg2.Error) -> None:
        adapters.hush(error)
        fatal = error.diag.severity in ("FATAL", "PANIC")
        if fatal or self._connection.closed or self._answer is None:
            self._lose(f"{_LOST}: {first_line(error)}")
        else:
            self.heard = self._reactor.seconds()
            self._settle(Failure(error))

    def _lose(self, reason: str) -> None:
        if self._fd >= 0:
            self.close(reason)
            self.on_lost(reason)

    def _settle(self, result: Any) -> None:
        answer, self._answer, self._cursor = self._answer, None, None
        if answer is not None:
            answer.callback(result)


def rows_of(cursor: Any) -> list[Row]:
    """All rows of a finished statement; none where it is of a kind without."""
    return [] if cursor.description is None else cursor.fetchall()


def first_line(error: BaseException) -> str:
    """What ``error`` says, on one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class _Link(Connection):  # type: ignore[misc]
    """Connects, and is then no longer needed.

    Stock's goes on watching its socket after each read; that of a server which
    refuses ("is shutting down") is gone by then, and the reactor would log it.
    """

    def doRead(self) -> None:
        """Go on connecting."""
        self.reactor.removeReader(self)
        if not self.pollable().closed:
            self.continuePolling()


async def open_wire(reactor: Any, line: Line) -> Wire:
    """Connect within ``line.connect`` seconds.

    :raises Timeout: PostgreSQL did not answer in time.
    :raises Unavailable: it is not there or does not let us in.
    """
    arguments = await _with_address(reactor, line.arguments())
    link = _Link(reactor)
    # Nothing but closing ends a connect: libpq's connect_timeout does not count
    # here, and cancelling txpostgres' Deferred raises and leaves it waiting.
    connected: Deferred[Any] = Deferred(lambda _: link.close())
    link.connect(**arguments).addBoth(_pass_on, connected)
    timer: IDelayedCall = reactor.callLater(line.connect, link.close)
    try:
        await connected
    except Exception as error:
        if link.pollable() is not None:
            link.close()
        where = arguments.get("host", "the local socket")
        if not timer.active():
            raise Timeout(
                f"PostgreSQL at {where} did not answer in {line.connect:g} s",
                told=_AWAY,
            ) from error
        raise Unavailable(
            f"PostgreSQL at {where} is not to be reached: {first_line(error)}",
            told=_AWAY,
        ) from error
    finally:
        if timer.active():
            timer.cancel()
    reactor.removeReader(link)
    connection = link.pollable()
    adapters.install(connection)
    wire = Wire(reactor, connection, os.dup(connection.fileno()), reactor.seconds())
    reactor.addReader(wire)
    return wire


def _pass_on(result: object, answer: Deferred[object]) -> None:
    if not answer.called:
        answer.callback(result)


async def _with_address(reactor: Any, arguments: dict[str, str]) -> dict[str, str]:
    """``arguments`` with the host's address, so that libpq need not block."""
    host = arguments.get("host", "/")
    if host.startswith(("/", "@")) or "," in host or "hostaddr" in arguments:
        return arguments
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pool = reactor.getThreadPool()
        try:
            found = await deferToThreadPool(
                reactor, pool, socket.getaddrinfo, host, None, 0, socket.SOCK_STREAM
            )
        except OSError as error:
            raise Unavailable(
                f"cannot find PostgreSQL's host {host}", told=_AWAY
            ) from error
        return {**arguments, "hostaddr": str(found[0][4][0])}
    return arguments
