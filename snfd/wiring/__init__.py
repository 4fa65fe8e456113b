"""The composition root: a configuration becomes parts that know each other.

Nothing else builds a part that needs another part.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import frozen
from twisted.application.service import Service
from twisted.plugin import getPlugins

import snfd.plugins
from snfd.accounts.upkeep import AccountUpkeep
from snfd.catalog import Catalog, only
from snfd.cloud import Cloud
from snfd.compute.backends import Backends
from snfd.compute.books import Books
from snfd.compute.mends import Mends
from snfd.compute.service import Parts, compute
from snfd.config import Config, Urls
from snfd.db import schema
from snfd.db.database import PostgresDatabase, Times
from snfd.db.listener import Listener
from snfd.errors import Invalid, Unavailable
from snfd.identity.passwords import OneThread, Passwords, argon2id
from snfd.identity.people import People
from snfd.identity.proof import Verifier
from snfd.identity.service import Authenticator, Identity
from snfd.identity.throttle import Throttle
from snfd.identity.upkeep import TokenUpkeep
from snfd.image.service import Images
from snfd.image.uploads import ImageUploads
from snfd.lending import Limits
from snfd.network.rules import Rules
from snfd.network.service import NetworkServices
from snfd.objects.service import ObjectStore
from snfd.observe import Metrics, request_id
from snfd.plugin import IApi, Mount
from snfd.probe import Probe, nothing
from snfd.projects.service import Projects
from snfd.quota import service as quota
from snfd.quota.watch import CommissionWatch
from snfd.registry.importing import Services
from snfd.secrets import KeyRing
from snfd.tasks import Tasks
from snfd.wiring import consoles
from snfd.wiring.allocators import judge
from snfd.wiring.astakos import astakos
from snfd.wiring.clusters import clusters
from snfd.wiring.figures import commissions, figures, findings, tally, validations
from snfd.wiring.mail import mail
from snfd.wiring.projects import expiry
from snfd.wiring.retention import retention
from storage.blocks import Blocks, MemoryBlocks
from storage.download import Reader
from storage.files import FileBlocks
from storage.librados import RadosConfig
from storage.rados import connect as connect_rados
from storage.workers import ThreadWorkers
from storage.writer import Writer

HASHING_THREADS = 3
DISK_THREADS = 4
PATIENCE = 50.0
"""Seconds that a look through everything may take; `snfctl` waits for 60."""


@frozen(eq=False)
class Ground:
    """What everything else stands on.

    :ivar dsn: libpq's connection string of the database.
    """

    reactor: Any
    config: Config
    dsn: str
    keys: KeyRing
    blocks: Blocks
    metrics: Metrics
    probe: Probe = nothing


@frozen(eq=False)
class Built:
    """All parts, built and not yet started.

    :ivar services: in the order in which they start; they stop in reverse.
    """

    cloud: Cloud
    database: PostgresDatabase
    passwords: Passwords
    services: Sequence[Service]
    mounts: Sequence[Mount]


async def open_blocks(reactor: Any, config: Config) -> Blocks:
    """The block store that the configuration names.

    :raises Unavailable: RADOS or its binding is not there.
    """
    chosen = config.storage
    if chosen.driver == "rados":
        rados = RadosConfig(
            conf=chosen.ceph_conf,
            pool=chosen.pool,
            user=chosen.ceph_user,
            keyring=chosen.ceph_keyring or None,
            timeout=chosen.timeout,
        )
        return await connect_rados(reactor, rados, longest=chosen.block_size)
    if chosen.driver == "memory":
        return MemoryBlocks()
    directory = Path(chosen.directory or Path(config.var) / "blocks")
    return FileBlocks(directory, ThreadWorkers(reactor, DISK_THREADS, "disk"))


def database(reactor: Any, config: Config, dsn: str) -> PostgresDatabase:
    """The doors to PostgreSQL."""
    limits = Limits(config.database.pool, max_age=3600, idle_ttl=300, min_idle=1)
    return PostgresDatabase(reactor, dsn, _random, limits)


def _patient(ground: Ground) -> PostgresDatabase:
    """The same for administrators' looks through everything, two at a time."""
    return PostgresDatabase(
        ground.reactor,
        ground.dsn,
        _random,
        Limits(2, max_age=60, idle_ttl=10),
        Times(transaction=PATIENCE),
    )


def build(ground: Ground, db: PostgresDatabase) -> Built:
    """All parts of this process, over ``db``, which must have been started."""
    reactor, config = ground.reactor, ground.config
    plugins = enabled(config.plugins)
    thread = OneThread(reactor)
    passwords = Passwords(thread, argon2id())
    patient = _patient(ground)
    upkeep = TokenUpkeep(reactor, db, 60.0)
    tasks = Tasks()
    workers = ThreadWorkers(reactor, HASHING_THREADS, "hashing")
    lifetime = timedelta(seconds=config.identity.token_seconds)
    throttle = Throttle(db, reactor, config.identity.login_failures)
    verifier = Verifier(
        db, passwords, reactor, ground.keys, throttle, tally(ground.metrics)
    )
    validations(ground.metrics, upkeep)
    quotas = quota.Quota(db)
    store = ObjectStore.build(
        db, reactor, tasks, quota.charge, quotas, ground.blocks, workers
    )
    images = Images(db, reactor, quota.charge)
    tickets = consoles.tickets(ground, db)
    urls = Urls.of(config.urls)
    parts = astakos(ground, db, patient, verifier, tasks)
    cloud = Cloud(
        config=config,
        clock=reactor,
        tasks=tasks,
        metrics=ground.metrics,
        urls=urls,
        catalog=Catalog(
            urls,
            _catalogued(plugins),
            config.identity.region,
            Services(db).others,
        ),
        authenticator=Authenticator(db, reactor, upkeep.used),
        identity=Identity(
            db,
            verifier,
            reactor,
            secrets.token_bytes,
            lifetime,
            parts.weblogin.sessions.required.admit,
            config.identity.tokens_per_user,
        ),
        people=People(db),
        projects=Projects(db),
        quota=quotas,
        astakos=parts,
        compute=compute(
            Parts(
                db=db,
                clock=reactor,
                images=images,
                sealer=ground.keys,
                base_url=urls.cyclades,
                new_id=uuid4,
                draw=secrets.randbelow,
                token=consoles.secret,
                request_id=lambda: request_id() or None,
                probe=ground.probe,
                judge=judge(config.compute.allocator),
            )
        ),
        backends=Backends(db, ground.keys, uuid4),
        mends=Mends(db, reactor, parts.integrity, uuid4),
        networks=NetworkServices.build(db, uuid4, Rules.of(config.network)),
        tickets=tickets,
        consoles=consoles.consoles(ground, tickets, tasks),
        store=store,
        images=images,
        image_uploads=ImageUploads(db, reactor, quota.charge, store.uploads),
        writer=Writer(ground.blocks, workers, config.storage.block_size),
        reader=Reader(ground.blocks, reactor, config.storage.block_size),
        workers=workers,
        pages=_pages(),
        ready=partial(_ready, db),
    )
    listener = Listener(reactor, ground.dsn)
    services: list[Service] = [thread, upkeep, listener, patient]
    services.append(expiry(ground, cloud.astakos.projects))
    services.append(AccountUpkeep(reactor, db))
    if "follower" in config.run:
        services.append(clusters(ground, cloud, db, listener))
        services.append(mail(ground, db, listener))
        services.append(retention(ground, db))
        services.append(commissions(ground.metrics, CommissionWatch(reactor, db)))
        books = Books(reactor, db, parts.integrity.recount)
        services.append(findings(ground.metrics, books))
    if "console" in config.run:
        services.append(cloud.consoles)
        consoles.watch(cloud.consoles, listener)
    figures(ground.metrics, db, cloud)
    mounts = [mount for plugin in plugins for mount in plugin.mounts(cloud)]
    return Built(cloud, db, passwords, services, mounts)


def enabled(kinds: Sequence[str]) -> Sequence[Any]:
    """The plugins of these kinds, or all; each kind once.

    :raises Invalid: a kind is not installed, or two plugins are of one kind.
    """
    found: dict[str, Any] = {}
    for plugin in getPlugins(IApi, snfd.plugins):
        if plugin.kind in found:
            raise Invalid(f"two plugins call themselves {plugin.kind}")
        found[plugin.kind] = plugin
    unknown = sorted(set(kinds) - set(found))
    if unknown:
        raise Invalid(f"no plugin {unknown[0]}; there are: {', '.join(sorted(found))}")
    return [found[kind] for kind in sorted(kinds or found)]


async def _ready(db: PostgresDatabase) -> None:
    try:
        await schema.check(db)
    except schema.SchemaError as error:
        raise Unavailable(str(error)) from None


def _catalogued(plugins: Sequence[Any]) -> frozenset[str]:
    kinds = {plugin.kind for plugin in plugins}
    return only(kinds | ({"vmapi"} if "compute" in kinds else set()))


def _random() -> float:
    return secrets.randbelow(1 << 53) / (1 << 53)


def _pages() -> Path:
    from api.ui.static import built_pages

    return built_pages()
