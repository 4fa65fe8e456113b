"""What every test process needs; the servers it may start end with it."""

from __future__ import annotations

import gc
import signal
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.postgres import stop_postgres


def pytest_configure(config: pytest.Config) -> None:
    """Leave nothing in the checkout, and no daemons after Ctrl-C.

    A shell has its background jobs ignore that, and so do their children.
    """
    _keep_clean(config)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _keep_clean(config: pytest.Config) -> None:
    """Have trial's scratch paths away from here, and removed in the end."""
    scratch = TemporaryDirectory(prefix="snfd-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)

    def mktemp(_: SynchronousTestCase) -> str:
        return str(Path(mkdtemp(dir=scratch.name)) / "temp")

    SynchronousTestCase.mktemp = mktemp  # type: ignore[method-assign]


def pytest_collection_finish() -> None:
    """Keep modules and tests from the garbage collector, as the daemon does.

    Otherwise every full round looks at all that was imported.
    """
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Stop what was started for this process's tests."""
    stop_postgres()
