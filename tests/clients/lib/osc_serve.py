"""openstackclient's commands, many in one process: starting it takes seconds.

A line of standard input is a command's words as JSON; the line that answers it
is its exit code, and what it wrote to standard output and to standard error.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from openstackclient.shell import OpenStackShell


def run(words: list[str]) -> tuple[int, str, str]:
    """Run one command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = OpenStackShell().run(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return int(code or 0), out.getvalue(), err.getvalue()


def main() -> None:
    """Answer line by line until the input ends."""
    for line in sys.stdin:
        sys.__stdout__.write(json.dumps(run(json.loads(line))) + "\n")
        sys.__stdout__.flush()


if __name__ == "__main__":
    main()
