"""txpostgres' own pool, in a process of its own.

What it leaves behind when it fails (cursors in the reactor, failures that are
told when they are collected) would be told in whichever test came next.

    python -m tests.db.stock DSN SIZE        then commands, a line each:

``hang-up``
    cancels an INSERT's transaction half-way; tells the next query's error
``kill``
    has the server end one of its connections
``ask N``
    tells how many of N queries fail
``wait``
    asks once more, does not wait for the answer and tells how many came
``answers``
    tells how many of those answers have come
"""

from __future__ import annotations

import sys
from typing import Any

import psycopg2
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.stdio import StandardIO
from twisted.internet.task import deferLater, react
from twisted.protocols.basic import LineReceiver
from txpostgres.txpostgres import ConnectionPool


class Commands(LineReceiver):
    """Does what its standard input says, one line after the other."""

    delimiter = b"\n"

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.answers: list[object] = []
        self.ended: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:
        """A command."""
        name, *arguments = line.decode().split()
        work = getattr(self, "do_" + name.replace("-", "_"))
        ensureDeferred(work(*arguments)).addBoth(self._tell)

    def connectionLost(self, reason: Any = None) -> None:
        """No more of them."""
        self.ended.callback(None)

    async def do_hang_up(self) -> str:
        waiting = self.pool.runInteraction(lambda cursor: ensureDeferred(_work(cursor)))
        ended: list[object] = []
        waiting.addBoth(ended.append)
        await _pause(0.1)
        try:
            waiting.cancel()
        except Exception as error:  # txpostgres' _CancelInProgress
            print(type(error).__name__, file=sys.stderr)
        await _pause(0.5)
        return f"{len(ended)} {await self._error()}"

    async def do_kill(self) -> str:
        [(pid,)] = await self.pool.runQuery("SELECT pg_backend_pid()")
        with psycopg2.connect(sys.argv[1]) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
        await _pause(0.1)
        return "killed"

    async def do_ask(self, queries: str) -> str:
        failed = [await self._error() for _ in range(int(queries))]
        return str(len(failed) - failed.count("none"))

    async def do_wait(self) -> str:
        self.pool.runQuery("SELECT 1").addBoth(self.answers.append)
        return await self.do_answers()

    async def do_answers(self) -> str:
        await _pause(0.1)
        return str(len(self.answers))

    async def _error(self) -> str:
        try:
            await self.pool.runQuery("SELECT 1")
        except psycopg2.Error as error:
            return type(error).__name__
        return "none"

    def _tell(self, result: object) -> None:
        self.sendLine(str(result).encode())


async def _work(cursor: Any) -> None:
    await cursor.execute("INSERT INTO public.thing VALUES (1, 'x')")
    await cursor.execute("SELECT pg_sleep(0.3)")


def _pause(seconds: float) -> Deferred[None]:
    return deferLater(reactor, seconds)


async def main(_reactor: object, dsn: str, size: str) -> None:
    """Says ``connected`` once it is, and ends with its standard input."""
    commands = Commands(ConnectionPool(None, dsn, min=int(size)))
    StandardIO(commands)
    started = commands.pool.start()
    started.addCallback(lambda _: commands.sendLine(b"connected"))
    await commands.ended


if __name__ == "__main__":
    react(main, sys.argv[1:])
