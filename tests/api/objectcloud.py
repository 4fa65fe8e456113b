"""Object storage behind HTTP, in memory but for PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource

from api.objects.opener import Opener, StreamingMount
from api.objects.pithos import resource as pithos
from api.objects.swift import resource as swift
from snfd.errors import Unauthorized
from snfd.identity.model import Caller
from snfd.objects.service import ObjectStore
from snfd.quota.model import UNLIMITED
from snfd.quota.service import Quota, charge
from snfd.tasks import Tasks
from storage.blocks import MemoryBlocks
from storage.download import Reader
from storage.workers import CallerWorkers
from storage.writer import Writer
from tests.api.wire import Wire
from tests.objects.people import person
from tests.postgres import blocking_database

BLOCK = 4 * 1024 * 1024


class ObjectCloudCase(SynchronousTestCase):
    """A cloud with the users A and B, and a client that is A."""

    block_size = BLOCK
    space = UNLIMITED

    def setUp(self) -> None:
        """Make the parts."""
        self.db = blocking_database(self)
        self.clock = Clock()
        self.clock.advance(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())
        self.blocks = MemoryBlocks(self.clock.seconds)
        self.writer = Writer(self.blocks, CallerWorkers(), self.block_size)
        self.reader = Reader(self.blocks, self.clock, self.block_size)
        self.tokens: dict[str, Caller] = {}
        self.a = self.join("a")
        self.b = self.join("b")
        self.store = ObjectStore.build(
            self.db,
            self.clock,
            Tasks(),
            charge,
            Quota(self.db),
            self.blocks,
            CallerWorkers(),
        )
        mounts, streamed = self.parts()
        self.wire = Wire(mounts, Opener(streamed))
        self.wire.token = "a"

    def parts(self) -> tuple[Mapping[str, IResource], list[StreamingMount]]:
        """All mounts, and what decides on their bodies."""
        old, old_stream = pithos.build(
            self.store,
            Quota(self.db),
            self.writer,
            self.reader,
            self.authenticate,
            self.clock,
        )
        new, new_stream = swift.build(
            self.store, self.writer, self.reader, self.authenticate
        )
        mounts = {pithos.MOUNT: old, swift.MOUNT: new}
        return mounts, [old_stream, new_stream]

    async def authenticate(self, token: str | None) -> Caller:
        """Tokens are the names of users."""
        if token not in self.tokens:
            raise Unauthorized("no valid token")
        return self.tokens[token]

    def join(self, name: str) -> Caller:
        """A new user, with his name for a token."""
        caller: Caller = self.result(self.db.run(person, name, self.space))
        self.tokens[name] = caller
        return caller

    def result(self, work: Any) -> Any:
        """What ``work`` gives, at once."""
        if not isinstance(work, Deferred):
            work = Deferred.fromCoroutine(work)
        return self.successResultOf(work)
