"""Has instances taken over, and waits for what comes of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from snfd.admin.ctl.client import segment
from snfd.admin.ctl.output import say
from snfd.admin.ctl.problems import BROKEN, FINDINGS, Problem

if TYPE_CHECKING:
    from snfd.admin.ctl.commands import Run

COLUMNS = ("instance", "server", "outcome", "detail")
PATIENCE = 600.0
"""Seconds to wait; what was asked goes on afterwards."""

EVERY = 0.5


def adopt(run: Run) -> None:
    """Ask, wait until it is finished, and list what came of each instance.

    :raises Problem: it was refused, takes too long, or not all were taken over.
    """
    done = run.client.call("POST", run.path(), None, run.fields())
    where = f"/backends/{segment(run.values['backend'])}/adoptions/{done['id']}"
    deadline = time.monotonic() + PATIENCE
    while done["finished"] is None:
        if time.monotonic() > deadline:
            raise Problem(
                BROKEN,
                f"adoption {done['id']} is not finished yet",
                f"snfctl backend adoption {run.values['backend']} {done['id']}",
            )
        time.sleep(EVERY)  # noqa: TID251 -- a command, which has no reactor
        done = run.client.call("GET", where)
    say(run.look.listed(done["results"], COLUMNS))
    refused = [one for one in done["results"] if one["outcome"] == "refused"]
    if not done["results"] and run.look.for_people:
        click.echo("there is nothing to take over")
    if refused:
        raise Problem(FINDINGS, f"{len(refused)} instance(s) were not taken over")
