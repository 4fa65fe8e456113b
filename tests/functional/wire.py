"""Waits at the end of a test until its connections are closed."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.tcp import Connection
from twisted.trial.unittest import TestCase


def close_all(testcase: TestCase, seconds: float = 2.0) -> None:
    """Have ``testcase`` end only when no TCP connection of its is open.

    A connection that the server closes may outlive the answer by a moment.
    """

    async def wait() -> None:
        for _ in range(int(seconds / 0.01)):
            if not any(isinstance(one, Connection) for one in reactor.getReaders()):
                return
            await deferLater(reactor, 0.01)

    testcase.addCleanup(lambda: Deferred.fromCoroutine(wait()))
