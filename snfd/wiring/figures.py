"""Figures of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Counter, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from snfd.cloud import Cloud
from snfd.compute.books import Books
from snfd.db.database import PostgresDatabase
from snfd.ganeti.reconcile import Kind
from snfd.identity.proof import OURS
from snfd.identity.tally import OUTCOMES, Tally
from snfd.identity.upkeep import TokenUpkeep
from snfd.observe import Metrics
from snfd.quota.watch import CommissionWatch


def tally(metrics: Metrics) -> Tally:
    """What counts logins; their methods are those of the configuration."""
    logins = Counter(
        "snfd_logins",
        "Attempts to log in by method and how they ended.",
        ("method", "outcome"),
        registry=metrics.registry,
    )
    for outcome in OUTCOMES:
        logins.labels(OURS, outcome)
    return lambda method, outcome: logins.labels(method, outcome).inc()


def validations(metrics: Metrics, upkeep: TokenUpkeep) -> None:
    """Register how often a token was good; ``401`` among answers tells the rest."""

    class _Validations(Collector):
        def collect(self) -> Iterable[Metric]:
            yield CounterMetricFamily(
                "snfd_token_validations",
                "Tokens that were looked up and good.",
                value=upkeep.validated,
            )

    metrics.registry.register(_Validations())


def commissions(metrics: Metrics, watch: CommissionWatch) -> CommissionWatch:
    """Register what ``watch`` sees."""
    metrics.gauge(
        "commissions_pending",
        "Commissions that were neither accepted nor rejected.",
        lambda: watch.pending,
    )
    metrics.gauge(
        "commissions_oldest_seconds",
        "How long the oldest of them waits.",
        lambda: watch.oldest_seconds,
    )
    return watch


def figures(metrics: Metrics, db: PostgresDatabase, cloud: Cloud) -> None:
    """Register them; they are read when somebody asks for metrics."""
    readings: Mapping[str, tuple[str, Callable[[], float]]] = {
        "database_connections": (
            "Connections to PostgreSQL in use.",
            lambda: db.snapshot().leased,
        ),
        "database_waiting": (
            "Who waits for a connection to PostgreSQL.",
            lambda: db.snapshot().waiting,
        ),
        "uploads": ("Uploads under way.", lambda: cloud.writer.open_streams),
        "downloads": ("Downloads under way.", lambda: cloud.reader.open_streams),
        "consoles": ("Open consoles.", lambda: len(cloud.consoles.open)),
        "background_tasks": (
            "Work that nobody waits for.",
            lambda: len(cloud.tasks.running),
        ),
    }
    for name, (help_text, read) in readings.items():
        metrics.gauge(name, help_text, read)


def findings(metrics: Metrics, books: Books) -> Books:
    """Register how much reconciliation found, by kind."""

    class _Findings(Collector):
        def collect(self) -> Iterable[Metric]:
            found = GaugeMetricFamily(
                "snfd_findings",
                "Where rows disagree with clusters, pools or quota.",
                labels=("kind",),
            )
            for kind in Kind:
                found.add_metric((str(kind),), books.found.get(kind, 0))
            yield found

    metrics.registry.register(_Findings())
    metrics.gauge(
        "reconciled_seconds",
        "How long ago the cluster was looked at that was not for longest.",
        lambda: books.oldest,
    )
    return books
