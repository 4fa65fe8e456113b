"""``snfctl`` as an administrator runs it, beside a daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.functional.daemon import ROOT

CODE = "from snfd.cli import main; main()"


@frozen
class Ended:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str


@frozen
class Snfctl:
    """The command, for the daemon whose data are in ``var``."""

    var: Path

    def run(
        self,
        *words: str,
        stdin: str = "",
        before: Callable[[], None] | None = None,
    ) -> Ended:
        """Run it.

        :param before: called in the child before it becomes the command.
        """
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SNF")}
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            env={**kept, "SNFD_VAR": str(self.var)},
            input=stdin,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=60,
            preexec_fn=before,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def __call__(self, *words: str, stdin: str = "") -> str:
        """What it printed.

        :raises AssertionError: it failed.
        """
        done = self.run(*words, stdin=stdin)
        assert done.status == 0, (words, done)
        return done.out

    def json(self, *words: str, stdin: str = "") -> Any:
        """What it told as JSON."""
        return json.loads(self(*words, "-o", "json", stdin=stdin))
