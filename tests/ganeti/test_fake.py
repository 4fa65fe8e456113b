"""The fake cluster keeps the contract."""

from __future__ import annotations

from twisted.internet.task import Clock

from snfd.ganeti.fake import FakeGaneti
from tests.contracts import ganeti as contract


class FakeGanetiTests(contract.GanetiContract):
    def setUp(self) -> None:
        self.ganeti = FakeGaneti(Clock())
        self.ganeti.queue.work = True
        self.first = 1000

    async def pause(self) -> None:
        """Jobs come further with each look."""
