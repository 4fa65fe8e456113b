"""``snfctl user import``: one user for each row of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from snfd.admin.ctl.files import text_of
from snfd.admin.ctl.output import say
from snfd.admin.ctl.problems import (
    BROKEN,
    FINDINGS,
    NO_DAEMON,
    NOT_ALLOWED,
    USAGE,
    Problem,
)

if TYPE_CHECKING:
    from snfd.admin.ctl.commands import Run

TEXTS = ("email", "first_name", "last_name", "username", "affiliation")
FLAGS = ("waiting", "signed")
COLUMNS = (*TEXTS, "groups", *FLAGS)
MOST = 10_000
"""Users of one file."""


def import_users(run: Run) -> None:
    """Make the users of a file, and tell of each what became of him.

    :raises Problem: the file is none such, or some users were refused.
    """
    done = []
    for line, wanted in _rows(text_of(run.values["file"])):
        outcome = {"line": line, "email": wanted["email"], "uuid": None}
        outcome.update(password=None, problem=None)
        try:
            made = run.client.call("POST", run.path(), None, wanted)
            outcome.update(uuid=made["uuid"], password=made["password"])
        except Problem as problem:
            outcome["problem"] = problem.message
            done.append(outcome)
            if problem.status in (NO_DAEMON, NOT_ALLOWED, BROKEN):
                break
            continue
        done.append(outcome)
    say(run.look.listed(done, run.verb.columns))
    refused = [one for one in done if one["problem"]]
    if refused:
        raise Problem(FINDINGS, f"{len(refused)} of {len(done)} were not made")


def _rows(text: str) -> list[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(StringIO(text, newline=""))
    try:
        names = list(reader.fieldnames or ())
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise Problem(USAGE, f"that is no CSV file: {error}") from None
    unknown = [name for name in names if name not in COLUMNS]
    if "email" not in names or unknown:
        raise Problem(
            USAGE,
            f"unknown columns: {', '.join(unknown)}" if unknown else "no column email",
            f"there may be {', '.join(COLUMNS)}",
        )
    if len(rows) > MOST:
        raise Problem(USAGE, f"at most {MOST} users in one file")
    return [(line, _wanted(line, row)) for line, row in rows]


def _wanted(line: int, row: Mapping[str | None, Any]) -> dict[str, Any]:
    if None in row or None in row.values():
        raise Problem(USAGE, f"line {line} has not as many fields as the first")
    wanted: dict[str, Any] = {name: row[name] for name in TEXTS if row.get(name)}
    wanted.setdefault("email", "")
    if row.get("groups"):
        wanted["groups"] = row["groups"].split()
    for name in FLAGS:
        if row.get(name):
            wanted[name] = row[name].strip().lower() in ("yes", "true", "1")
    return wanted
