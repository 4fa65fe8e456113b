"""``make bench``: every part, or those named on the command line.

A part is a module of this package with a function ``run()``; it prints the
lines of `bench.report` and fails only when it could not measure at all.
"""

from __future__ import annotations

import os
import sys
import traceback
from importlib import import_module

from bench.report import note

PARTS = ("identity", "compute", "jobs", "console", "objects")


def main(wanted: list[str]) -> int:
    """Run the parts ``wanted``; the number of those that broke."""
    unknown = set(wanted) - set(PARTS)
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are: {', '.join(PARTS)}")
        return 2
    broken = 0
    for part in wanted or PARTS:
        note(f"{part}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        try:
            import_module(f"bench.{part}").run()
        except Exception:
            traceback.print_exc()
            broken += 1
    note(f"load average at the end {os.getloadavg()[0]:.1f}")
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
