"""``twistd snfd``: the command line."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.python import usage

from snfd.clock import Steady
from snfd.daemon import service
from snfd.errors import Invalid
from snfd.keycheck import FLAG
from snfd.loading import Loaded, load


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ValueError(f"a port is a number from 1 to 65535, and not {text!r}")
    return int(text)


class Options(usage.Options):
    """What ``twistd snfd`` takes; all else is configuration."""

    synopsis = "[--config FILE] [--var DIR] [--port PORT]"
    longdesc = (
        "A whole cloud in one process. Without --config everything is embedded:"
        " PostgreSQL, a pocket cluster, blocks in a directory, demo accounts."
    )
    optParameters = [
        ["config", "c", None, "TOML file; SNFD_* variables outrank it"],
        ["var", None, None, "directory of everything that is written"],
        ["port", "p", None, "listen on this port of 127.0.0.1", _port],
    ]
    optFlags = [
        [
            FLAG.removeprefix("--"),
            None,
            "go on with a new key: what the lost one sealed is lost as well",
        ],
    ]


def loaded(options: Options) -> Loaded:
    """The configuration that a command line asks for.

    :raises Invalid: it is wrong; says where.
    """
    overrides: dict[str, Any] = {}
    if options["var"]:
        overrides["var"] = str(Path(options["var"]).absolute())
    if options["port"]:
        overrides["listen.http"] = [f"tcp:{options['port']}:interface=127.0.0.1"]
        overrides["urls.base"] = f"http://127.0.0.1:{options['port']}"
    if options["config"] is None:
        for name in ("pocket.enabled", "seed.demo"):
            if "SNFD_" + name.replace(".", "_").upper() not in os.environ:
                overrides[name] = True
    return load(_path(options["config"]), os.environ, overrides)


def makeService(options: Options) -> IService:
    """The service that ``twistd snfd`` runs."""
    from twisted.internet import reactor

    _keep_time(reactor)
    reactor.callWhenRunning(_end_with_terminal, reactor)
    try:
        abandon = bool(options[FLAG.removeprefix("--")])
        return service(reactor, loaded(options), abandon=abandon)
    except Invalid as error:
        raise SystemExit(f"snfd: {error.message}") from None


def _keep_time(reactor: Any) -> None:
    """Have timers run on where the machine's clock is put back."""
    reactor.seconds = Steady(time.time, time.monotonic).seconds


def _end_with_terminal(reactor: Any) -> None:
    """Stop in order when the terminal is closed, unless run by ``nohup``."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, reactor.sigTerm)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
