"""Figures of this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from snfd.cloud import Cloud
from snfd.db.database import PostgresDatabase
from snfd.observe import Metrics


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
