"""The contract on a real Ganeti cluster."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from snfd.ganeti.rapi import Rapi
from snfd.ganeti.transport import Transport, agent
from snfd.trust import policy
from tests.contracts import ganeti as contract
from tests.functional.wire import close_all
from tests.lab import ganeti as real


@pytest.mark.rig("ganeti")
@pytest.mark.xdist_group("ganeti")
class RealGanetiTests(contract.GanetiContract):
    def setUp(self) -> None:
        close_all(self)
        lab = real.lab()
        wire = agent(reactor, policy(lab.ca))
        self.ganeti = Rapi(Transport(reactor, wire, lab.url, lab.user, lab.password))
        self.first = 1000

    def pause(self) -> Awaitable[None]:
        return deferLater(reactor, 0.1)
