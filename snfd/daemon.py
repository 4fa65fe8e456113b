"""The daemon's life: everything is started in order, and stopped in reverse."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import psycopg2
from attrs import define, field
from OpenSSL.SSL import Error as SSLError
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThread
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from api.addresses import Peers
from api.admin import socket as admin_socket
from api.cors import Cors
from api.health import MetricsPage
from api.objects.opener import Opener
from api.root import Documents, Root
from snfd import firststart, wiring
from snfd.db import schema
from snfd.db.embedded import EmbeddedPostgres
from snfd.db.place import PlaceError
from snfd.errors import CloudError, Invalid
from snfd.ganeti.service import Clusters
from snfd.keycheck import ring_for
from snfd.loading import Loaded
from snfd.observe import Metrics, json_observer, quiet_libraries
from snfd.plugin import Mount
from snfd.pocketed import EmbeddedPocket
from snfd.preflight import Found, Listener, look, why
from snfd.probe import crash_probe
from snfd.quota.model import RESOURCES
from snfd.secrets import KeyFileError, KeyRing
from snfd.setting import fix
from snfd.wiring import Built, Ground
from storage.blocks import Blocks
from storage.tuning import freeze_heap, raise_file_limit, tune_malloc
from storage.upload import make_site

STOP_SECONDS = 25.0
"""How long one part may take to stop; the embedded parts take 20 at most."""

_FORESEEN = (
    CloudError,
    CannotListenError,
    KeyFileError,
    OSError,
    PlaceError,
    psycopg2.Error,
    schema.SchemaError,
)


@define(eq=False)
class Daemon(Service):
    """A whole cloud, from a configuration.

    :ivar abandon: whether what a lost key sealed is given up, see `snfd.keycheck`.
    :ivar started: fires once the daemon serves, or fails with why it cannot.
    """

    reactor: Any
    loaded: Loaded
    abandon: bool = False
    started: Deferred[None] = field(init=False, factory=Deferred)
    _parts: list[Service] = field(init=False, factory=list)
    _ports: list[Any] = field(init=False, factory=list)
    _blocks: Blocks | None = field(init=False, default=None)
    _starting: Deferred[None] | None = field(init=False, default=None)
    _log = Logger()

    def setServiceParent(self, parent: Any) -> None:
        """Log as configured unless the application says otherwise."""
        Service.setServiceParent(self, parent)
        if isinstance(parent, Componentized) and not parent.getComponent(ILogObserver):
            try:
                parent.setComponent(ILogObserver, self._observer())
            except Invalid as error:
                raise SystemExit(f"snfd: {error.message}") from None

    def startService(self) -> None:
        """Begin to start; `started` says how it ended."""
        Service.startService(self)
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addErrback(self._cannot_start)

    async def stopService(self) -> None:
        """Stop listening, then everything in reverse order."""
        Service.stopService(self)
        if self._starting is not None:
            self._starting.cancel()
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        for part in reversed(self._parts):
            await self._ended(type(part).__name__, part.stopService)
        if self._blocks is not None:
            blocks = self._blocks
            await self._ended("blocks", lambda: Deferred.fromCoroutine(blocks.close()))

    async def _ended(self, what: str, stop: Callable[[], Any]) -> None:
        """Wait until a part has stopped, but not for ever: others must too."""
        waiting = maybeDeferred(stop)
        waiting.addTimeout(STOP_SECONDS, self.reactor)
        try:
            await waiting
        except Exception:
            self._log.failure("{what} did not stop in order", what=what)

    def _observer(self) -> Any:
        config = self.loaded.config
        chosen = config.log
        quiet_libraries()
        if not chosen.file:
            return json_observer(sys.stderr, chosen.level)
        if Path(chosen.file).absolute().is_relative_to(Path(config.var).absolute()):
            _made(config.var)
        try:
            opened = os.open(chosen.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise Invalid(f"log.file: {why(error)}") from None
        return json_observer(os.fdopen(opened, "a"), chosen.level)

    async def _start(self) -> None:
        config = self.loaded.config
        tune_malloc()
        raise_file_limit()
        found = look(self.reactor, config)
        var = _made(config.var)
        pocket = self._pocket(var)
        dsn = await self._database(var)
        file = found.key_file
        keys = await deferToThread(ring_for, file, dsn, abandon=self.abandon)
        self._blocks = await wiring.open_blocks(self.reactor, config)
        metrics = Metrics()
        ground = Ground(
            self.reactor,
            config,
            dsn,
            keys,
            self._blocks,
            metrics,
            crash_probe(os.environ),
        )
        db = wiring.database(self.reactor, config, dsn)
        await self._begin(db)
        await db.run(fix, "block_size", config.storage.block_size)
        built = wiring.build(ground, db)
        await self._rows(built, found, keys, pocket)
        for part in built.services:
            await self._begin(part)
        accounts = await firststart.furnish(built, config) if config.seed.demo else {}
        await self._listen(built, found, metrics)
        for line in await firststart.hand_out(built, config, accounts):
            _say(line, sys.__stdout__)
        freeze_heap()
        self._log.info("ready at {url}", url=config.urls.base)
        self.started.callback(None)

    def _pocket(self, var: Path) -> EmbeddedPocket | None:
        section = self.loaded.config.pocket
        if not section.enabled:
            return None
        pocket = EmbeddedPocket.prepare(self.reactor, var, section)
        self._parts.append(pocket)
        pocket.startService()
        return pocket

    async def _database(self, var: Path) -> str:
        """The DSN of a database whose schema fits."""
        chosen = self.loaded.config.database
        dsn = chosen.dsn
        if not dsn:
            embedded = EmbeddedPostgres(self.reactor, var)
            await self._begin(embedded)
            dsn = await embedded.started()
        if chosen.migrate or not chosen.dsn:
            await deferToThread(schema.migrate, dsn)
        else:
            await deferToThread(schema.check_at, dsn)
        return dsn

    async def _rows(
        self, built: Built, found: Found, keys: KeyRing, pocket: EmbeddedPocket | None
    ) -> None:
        catalog = built.cloud.catalog
        await built.cloud.astakos.services.register_own(
            catalog.own(), f"{built.cloud.urls.astakos}/ui", RESOURCES
        )
        clusters = Clusters(built.database, keys)
        await clusters.bootstrap(found.clusters)
        if pocket is not None:
            mine = await pocket.started()
            await clusters.bootstrap([mine])
            await clusters.readdress(mine)

    async def _begin(self, part: Service) -> None:
        self._parts.append(part)
        await maybeDeferred(part.startService)

    async def _listen(self, built: Built, found: Found, metrics: Metrics) -> None:
        config = self.loaded.config
        if found.metrics:
            page = Root(
                [Mount("/metrics", "", MetricsPage(metrics, None))],
                metrics,
                self.reactor,
            )
            await self._serve(found.metrics, page, [])
        if "api" not in config.run and "console" not in config.run:
            return
        if "api" in config.run:
            var = Path(config.var)
            cloud = built.cloud
            self._ports.append(admin_socket.opened(self.reactor, cloud, metrics, var))
        mounts = [*built.mounts, Mount("/openapi", "", Documents(built.mounts))]
        peers = Peers.of(config.identity.trusted_proxies)
        cors = Cors.of(config.listen.origins)
        root = Root(mounts, metrics, self.reactor, peers, cors)
        for one in found.http:
            await self._serve(one, root, mounts)

    async def _serve(
        self, one: Listener, root: IResource, mounts: Sequence[Mount]
    ) -> None:
        opener = Opener([one.bodies for one in mounts if one.bodies is not None])
        site = make_site(root, opener, self.reactor)
        try:
            self._ports.append(await one.endpoint.listen(site))
        except CannotListenError as error:
            raise Invalid(
                f"cannot listen on {one.text!r}: {why(error.socketError)}"
            ) from None
        except (OSError, OverflowError, SSLError) as error:
            raise Invalid(f"cannot listen on {one.text!r}: {why(error)}") from None

    def _cannot_start(self, failure: Failure) -> None:
        """Say why in one line if it was foreseen, and end with status 1."""
        if not self.running:
            return
        told = _told(failure.value)
        if failure.check(*_FORESEEN) is None:
            self._log.failure("the daemon cannot start", failure=failure)
            told += f" (unforeseen: {type(failure.value).__name__}; the log has more)"
        else:
            self._log.error("cannot start: {why}", why=told)
        _say(f"snfd: cannot start: {told}", sys.__stderr__)
        self.started.errback(failure)
        self.started.addErrback(lambda _: None)
        trigger = self.reactor.addSystemEventTrigger
        trigger("after", "shutdown", lambda: os._exit(1))
        # at once, or as soon as the reactor turns
        self.reactor.callWhenRunning(self.reactor.stop)


def _told(error: BaseException | None) -> str:
    about = "PostgreSQL: " if isinstance(error, psycopg2.Error) else ""
    return about + why(error)


def _say(line: str, out: TextIO | None) -> None:
    """Tell whoever started us; ``sys.stdout`` itself leads into the log."""
    if out is not None:
        print(line, file=out, flush=True)


def _made(var: str) -> Path:
    """The data directory, made where it is missing."""
    path = Path(var)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"var: cannot make the directory {why(error)}") from None
    return path


def service(reactor: Any, loaded: Loaded, *, abandon: bool = False) -> IService:
    """The daemon as ``twistd`` runs it.

    :param abandon: as `Daemon`'s.
    """
    return Daemon(reactor, loaded, abandon)
