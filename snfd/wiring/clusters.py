"""What works on clusters."""

from __future__ import annotations

import os
from socket import gethostname
from typing import TYPE_CHECKING
from uuid import uuid4

from snfd.cloud import Cloud
from snfd.compute.adopting import Adopting
from snfd.compute.settle import settle
from snfd.db.database import PostgresDatabase
from snfd.db.listener import Listener
from snfd.db.session import hold_lock
from snfd.ganeti.keeper import Keepers
from snfd.ganeti.service import connector
from snfd.ganeti.shift import Shifts
from snfd.network.mending import Mending

if TYPE_CHECKING:
    from snfd.wiring import Ground


def clusters(
    ground: Ground, cloud: Cloud, db: PostgresDatabase, listener: Listener
) -> Keepers:
    """What works on the clusters that no other process works on."""
    shifts = Shifts(
        ground.reactor,
        connector(
            ground.reactor,
            ground.keys,
            lambda work, data: cloud.workers.run(work, data),
            ground.probe,
        ),
        settle,
        cloud.compute.handoffs.enrich,
        ground.probe,
        Mending(uuid4),
        Adopting(uuid4).adopt,
    )
    keepers = Keepers(
        ground.reactor,
        db,
        lambda key: hold_lock(ground.reactor, ground.dsn, key),
        shifts,
        f"{gethostname()}:{os.getpid()}",
    )
    ground.metrics.gauge(
        "clusters",
        "Clusters that this process works on.",
        lambda: len(keepers.works_on),
    )
    ground.metrics.gauge(
        "clusters_unreachable",
        "Of those, the ones that do not answer.",
        lambda: len(keepers.unanswering),
    )
    listener.subscribe("intent", keepers.heard_intent, keepers.reread)
    listener.subscribe("cluster", keepers.heard_cluster, lambda: None)
    return keepers
