"""The contract on a pocket cluster, over real TCP and TLS."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from pocket.tap import Settings, make_pocket
from pocket.users import WRITE, User
from snfd.ganeti.rapi import Rapi
from snfd.ganeti.transport import Transport, agent
from snfd.trust import policy
from tests.contracts import ganeti as contract
from tests.functional.wire import close_all


@pytest.mark.rig("pocket")
class PocketTests(contract.GanetiContract):
    async def setUp(self) -> None:  # type: ignore[override]
        data = Path(self.mktemp())
        data.mkdir(parents=True)
        settings = Settings(
            data=data,
            port="tcp:0:interface=127.0.0.1",
            users=(User("snfd", "secret", frozenset({WRITE})),),
            hypervisor="fake",
        )
        pocket = make_pocket(settings, reactor)
        pocket.startService()
        self.addCleanup(pocket.stopService)
        close_all(self)
        await pocket.ready
        [pem] = data.glob("**/*cert*.pem")
        wire = agent(reactor, policy(pem.read_text()))
        self.ganeti = Rapi(Transport(reactor, wire, pocket.url, "snfd", "secret"))
        self.first = 1000

    def pause(self) -> Awaitable[None]:
        return deferLater(reactor, 0.02)
