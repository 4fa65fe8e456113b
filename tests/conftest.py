"""What every test process needs; the servers it may start end with it."""

from __future__ import annotations

from tests.postgres import stop_postgres


def pytest_sessionfinish() -> None:
    """Stop what was started for this process's tests."""
    stop_postgres()
