"""Chromium for tests: runs `console_driver.mjs` and reads what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def missing() -> str | None:
    """What is missing to run a browser; with ``CI=true`` nothing may be."""
    if os.environ.get("CI") == "true":
        return None
    if not Path(CHROMIUM).exists():
        return "chromium is not installed"
    if not (ROOT / "web" / "dist" / "console.html").exists():
        return "the web pages were not built: make web"
    return None


class BrowserError(Exception):
    """A command failed; says what the page and the screen showed."""


@frozen
class Visit:
    """What a run of the driver brought.

    :ivar values: of the commands, in order.
    :ivar problems: errors of scripts and violations of the policy.
    """

    values: Sequence[Any]
    problems: Sequence[str]


def visit_and_wait(
    url: str, *commands: str, limit: float = 60, wait: float = 30
) -> Visit:
    """Run ``commands`` on the page at ``url``, blocking.

    :param limit: seconds for everything; past it all is killed.
    :param wait: seconds for one command.
    :raises BrowserError: a command failed.
    """
    run = subprocess.run(
        _arguments(url, commands, limit),
        env=_environment(limit, wait),
        capture_output=True,
        check=False,
    )
    return _read(run.stdout, run.stderr, run.returncode)


async def visit(url: str, *commands: str, limit: float = 60, wait: float = 30) -> Visit:
    """The same on the reactor, for tests whose daemon runs on it too."""
    program, *arguments = _arguments(url, commands, limit)
    running: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
        program, arguments, _environment(limit, wait)
    )
    return _read(*await running)


def _arguments(url: str, commands: Sequence[str], limit: float) -> list[str]:
    timeout = shutil.which("timeout") or "timeout"
    return [
        *(timeout, "--kill-after=5", str(limit + 10)),
        *(str(ROOT / "web" / "build.sh"), "node"),
        *(str(ROOT / "tests" / "web" / "console_driver.mjs"), url, *commands),
    ]


def _environment(limit: float, wait: float) -> Mapping[str, str]:
    return {
        **os.environ,
        "CHROMIUM": CHROMIUM,
        "LIMIT": str(limit),
        "WAIT": str(wait),
    }


def _read(out: bytes, errors: bytes, status: int) -> Visit:
    lines = [json.loads(line) for line in out.splitlines() if line.startswith(b"{")]
    failed = next((line for line in lines if "error" in line), None)
    if failed is not None or status:
        shown = json.dumps(failed, indent=1, ensure_ascii=False)
        raise BrowserError(f"status {status}: {shown}\n{errors.decode()[-2000:]}")
    problems = next(line["problems"] for line in lines if "problems" in line)
    values = [line["value"] for line in lines if "command" in line]
    return Visit(values, problems)
