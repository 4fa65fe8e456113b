"""The pocket as a service, from its settings."""

from __future__ import annotations

import datetime
from random import Random, SystemRandom
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.server import Site

from pocket.certificate import certificate
from pocket.choose import hypervisor, space
from pocket.cluster import Cluster
from pocket.faults import Faults
from pocket.jobs import JobQueue
from pocket.operations import Executor, locks
from pocket.params import fill
from pocket.rapi import Rapi, make_site
from pocket.settings import Settings
from pocket.store import FileStore, MemoryStore, Store

# as Ganeti's watcher: what ended six hours ago is archived
_AGE = 6 * 3600.0
_PERIOD = 300.0


@define(eq=False)
class Pocket(Service):
    """A running cluster; its parts are open to tests in the same process.

    :ivar url: where RAPI is, once it listens.
    """

    settings: Settings
    reactor: Any
    cluster: Cluster
    jobs: JobQueue
    faults: Faults
    site: Site
    url: str = ""
    ready: Deferred[None] = field(init=False, factory=Deferred)
    _watcher: LoopingCall | None = field(init=False, default=None)
    _port: IListeningPort | None = field(init=False, default=None)
    _log = Logger()

    def startService(self) -> None:
        """Find what an earlier process left, then listen."""
        super().startService()  # type: ignore[no-untyped-call]
        Deferred.fromCoroutine(self._start()).addErrback(self._broken)

    async def _start(self) -> None:
        cluster = self.cluster
        cluster.load()
        await cluster.space.tidy(frozenset(i.uuid for i in cluster.instances))
        wanted = frozenset(i.name for i in cluster.instances if i.admin_state == "up")
        machines = [cluster.machine(instance) for instance in cluster.instances]
        await cluster.hypervisor.find(machines, wanted)
        self.jobs.start()
        for name in sorted(wanted):
            if not cluster.hypervisor.running(name):
                self._revive(name)
        factory: Any = self.site
        if self.settings.tls:
            now = datetime.datetime.fromtimestamp(self.reactor.seconds(), datetime.UTC)
            mine = certificate(self.settings.data, self.settings.names, now)
            factory = TLSMemoryBIOFactory(mine, False, self.site)
        endpoint = serverFromString(self.reactor, self.settings.port)
        self._port = await endpoint.listen(factory)
        at: Any = self._port.getHost()
        scheme = "https" if self.settings.tls else "http"
        self.url = f"{scheme}://{at.host}:{at.port}"
        self._log.info(
            "pocket cluster ready: RAPI at {url}, hypervisor {hypervisor}",
            url=self.url,
            hypervisor=type(cluster.hypervisor).__name__,
        )
        self._watcher = LoopingCall(self.jobs.archive, _AGE)
        self._watcher.clock = self.reactor
        self._watcher.start(_PERIOD, now=False)
        self.ready.callback(None)

    def _revive(self, name: str) -> None:
        """Start what should run and does not, as Ganeti's watcher does."""
        now = int(self.reactor.seconds() * 1e9)
        static = {"instance_name": name, "reason": [["gnt:watcher", "", now]]}
        self.jobs.submit(fill("OP_INSTANCE_STARTUP", {}, static))

    def _broken(self, failure: Any) -> None:
        self._log.failure("the pocket cluster cannot start", failure=failure)
        if not self.ready.called:
            self.ready.errback(failure)

    async def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        await self.jobs.stop()
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
        await self.cluster.hypervisor.close()
        self.cluster.store.close()

    def stopService(self) -> Deferred[None]:
        """Stop listening, running jobs, and all machines."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())


def make_pocket(
    settings: Settings, reactor: Any, random: Random | None = None
) -> Pocket:
    """A pocket cluster that starts with ``startService``.

    :param reactor: the reactor; also the clock.
    :param random: for UUIDs and MACs; the system's by default.
    """
    store: Store = MemoryStore()
    if settings.data is not None:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = FileStore(settings.data / "pocket.sqlite")
    runs = hypervisor(settings, reactor)
    cluster = Cluster(
        settings.node,
        reactor,
        store,
        runs,
        random or SystemRandom(),
        space(settings, reactor, runs),
    )
    faults = Faults()
    jobs = JobQueue(
        reactor, store, Executor(cluster, faults.operation), locks, settings.latency
    )
    users = {user.name: user for user in settings.users}
    rapi = Rapi(cluster, jobs, faults, users, settings.control)
    return Pocket(settings, reactor, cluster, jobs, faults, make_site(rapi, reactor))
