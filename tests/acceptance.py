"""Which of the specifications' checks hold, and on which rigs.

A pytest plugin. ``tests/acceptance.toml`` lists, for every numbered check, the
tests that prove it and the rig each ran on. After a whole run the plugin prints
held/total per specification and rig, and fails the run when a listed test did
not pass. ``python -m tests.acceptance`` writes the list anew from the names of
the tests (``test_astakos_41_…``) and their ``rig`` marks.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any, cast

import pytest

FILE = Path(__file__).with_name("acceptance.toml")
RIGS = ("unit", "pocket", "ganeti", "ganeti-kvm", "rados")
TOTAL = {"astakos": 76, "cyclades": 90, "pithos": 120}
NAME = re.compile(r"test_(astakos|cyclades|pithos)((?:_\d+)+)(?=_|$)")

Listed = dict[str, dict[str, dict[str, list[str]]]]


def listed() -> Listed:
    """Spec → number → rig → test ids; ``long:`` marks those of LONG=1 only."""
    return tomllib.loads(FILE.read_text()) if FILE.exists() else {}


def collected(items: list[pytest.Item]) -> Listed:
    """What the names and marks of ``items`` say, in the form of the file."""
    found: Any = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for item in items:
        match = NAME.search(item.name)
        if match is None:
            continue
        mark = item.get_closest_marker("rig")
        long = "long:" if item.get_closest_marker("long") else ""
        for number in match[2].strip("_").split("_"):
            for rig in mark.args if mark else ("unit",):
                found[match[1]][str(int(number))][rig].append(long + item.nodeid)
    return cast(Listed, found)


def written(checks: Listed) -> str:
    """``checks`` as the file's text, in order."""
    lines = [
        "# Written by python -m tests.acceptance; spec, number, rig, tests.",
    ]
    for spec in sorted(checks):
        for number in sorted(checks[spec], key=int):
            lines += ["", f"[{spec}.{number}]"]
            for rig in sorted(checks[spec][number], key=RIGS.index):
                lines.append(f"{rig} = [")
                lines += [f'  "{one}",' for one in sorted(checks[spec][number][rig])]
                lines.append("]")
    return "\n".join(lines) + "\n"


class Acceptance:
    """Watches a run's outcomes; the controlling process reports them."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        nodeid = report.nodeid.partition("@")[0]
        if report.failed or report.skipped:
            self.failed.add(nodeid)
        elif report.when == "call":
            self.passed.add(nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.config.getoption("--write-acceptance"):
            FILE.write_text(written(collected(items)))
            return
        checked = os.environ.get("SNFD_ACCEPTANCE")
        if checked and FILE.read_text() != written(collected(items)):
            raise pytest.UsageError(
                "tests/acceptance.toml is not what the tests' names say; "
                "run: python -m tests.acceptance"
            )

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not os.environ.get("SNFD_TEST_ACCEPTANCE"):
            return
        for spec in TOTAL:
            terminalreporter.write_line(self._summary(spec))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if os.environ.get("SNFD_TEST_ACCEPTANCE") and not hasattr(
            self.config, "workerinput"
        ):
            for test in self.unproven():
                print(f"acceptance: {test} is listed and did not pass")
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def unproven(self) -> list[str]:
        """Listed tests of this run that did not pass."""
        return sorted(
            test
            for checks in listed().values()
            for rigs in checks.values()
            for tests in rigs.values()
            for test in map(self._due, tests)
            if test and (test not in self.passed or test in self.failed)
        )

    def _due(self, test: str) -> str:
        name = test.removeprefix("long:")
        return name if name == test or os.environ.get("LONG") else ""

    def _summary(self, spec: str) -> str:
        checks = listed().get(spec, {})
        held: dict[str, int] = {}
        for rig in RIGS:
            held[rig] = sum(
                bool(tests) and all(self._holds(test) for test in tests)
                for rigs in checks.values()
                for tests in [rigs.get(rig, [])]
            )
        anywhere = sum(
            any(self._holds(test) for tests in rigs.values() for test in tests)
            for rigs in checks.values()
        )
        by_rig = ", ".join(f"{rig} {count}" for rig, count in held.items() if count)
        return f"acceptance {spec}: {anywhere}/{TOTAL[spec]} held ({by_rig or 'none'})"

    def _holds(self, test: str) -> bool:
        name = test.removeprefix("long:")
        return name in self.passed and name not in self.failed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a collection write the list."""
    parser.addoption("--write-acceptance", action="store_true", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Watch this run."""
    config.pluginmanager.register(Acceptance(config), "snfd-acceptance")


if __name__ == "__main__":
    sys.exit(
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "--collect-only",
                "-q",
                "-p",
                "tests.acceptance",
                "--write-acceptance",
                "tests",
            ],
            check=False,
            cwd=FILE.parent.parent,
            stdout=subprocess.DEVNULL,
        ).returncode
    )
