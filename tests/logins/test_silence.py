"""Servers that let us wait, also for a connection."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent

from snfd.errors import Unavailable
from snfd.logins.directory import Directory
from snfd.logins.directory_table import DirectoryTable
from snfd.logins.fetch import Fetcher
from snfd.logins.settings import parsed

TABLE = {"kind": "ldap", "url": "ldap://127.0.0.1:389", "dn": "uid={name}"}


class SilenceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()

    def given_up(self, work: Coroutine[Any, Any, object]) -> None:
        waiting = Deferred.fromCoroutine(work)
        self.assertEqual(1, len(self.reactor.tcpClients))
        self.assertNoResult(waiting)
        self.reactor.advance(5)
        self.failureResultOf(waiting, Unavailable)

    def test_a_directory_that_takes_no_connection(self) -> None:
        directory = Directory.of(parsed(TABLE, DirectoryTable), self.reactor)
        self.given_up(directory.check("ann", "secret"))

    def test_a_provider_that_takes_no_connection(self) -> None:
        agent = Agent(self.reactor)
        fetcher = Fetcher(agent, self.reactor, frozenset({"http://127.0.0.1:80"}))
        self.given_up(fetcher.get("http://127.0.0.1:80/x"))
