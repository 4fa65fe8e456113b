"""What every test process needs; the servers it may start end with it."""

from __future__ import annotations

import gc
import signal

from tests.postgres import stop_postgres


def pytest_configure() -> None:
    """Have Ctrl-C end the daemons of tests that run in the background, too.

    A shell has its background jobs ignore it, and so do their children.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep modules and tests from the garbage collector, as the daemon does.

    Otherwise every full round looks at all that was imported.
    """
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Stop what was started for this process's tests."""
    stop_postgres()
