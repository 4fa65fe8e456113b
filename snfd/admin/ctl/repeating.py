"""Verbs that ask again and again until all is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snfd.admin.ctl.output import say

if TYPE_CHECKING:
    from snfd.admin.ctl.commands import Run


def until_done(run: Run) -> None:
    """Send the request until its answer names no ``next``, and tell the sum.

    :raises Problem: one of the requests was refused; those before were not.
    """
    changed, marker = 0, None
    while True:
        body: dict[str, Any] = {**run.fields(), "marker": marker}
        done = run.client.call(run.verb.method, run.path(), None, body)
        changed, marker = changed + done["changed"], done["next"]
        if marker is None:
            say(run.look.one({"changed": changed}, {}))
            return
