"""What was done to a server: one action for each request, with its steps; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import frozen

from snfd.ganeti.model import Kind
from snfd.ganeti.requests import rescued
from snfd.intent import State


@frozen
class Step:
    """Something that a cluster was asked to do.

    :ivar kind: the opcode.
    :ivar body: its parameters.
    :ivar error: the cluster's words, empty unless it failed.
    :ivar finished: None while it is under way.
    """

    request: str
    kind: str
    body: Mapping[str, Any]
    state: State
    error: str
    actor: UUID | None
    began: datetime
    finished: datetime | None

    @property
    def failed(self) -> bool:
        """Whether it has ended otherwise than well."""
        return self.state.final and self.state is not State.SUCCESS

    @property
    def name(self) -> str:
        """What it does, in nova's words where it has any."""
        if self.kind == Kind.MODIFY:
            return _change(self.body)
        if self.kind == Kind.REINSTALL:
            kept = (self.body.get("osparams") or {}).get("img_id") == "null"
            return "changePassword" if kept else "rebuild"
        return _NAMES.get(self.kind, self.kind.lower())


_NAMES: Mapping[str, str] = {
    Kind.CREATE: "create",
    Kind.REMOVE: "delete",
    Kind.START: "start",
    Kind.STOP: "stop",
    Kind.REBOOT: "reboot",
    Kind.ADD_TAGS: "tag",
    Kind.REMOVE_TAGS: "untag",
}
_MINOR = ("start", "stop")


def _change(body: Mapping[str, Any]) -> str:
    if body.get("beparams"):
        return "resize"
    if "hvparams" in body:
        return "rescue" if rescued(body["hvparams"]) else "unrescue"
    for part, name in (("nics", "interface"), ("disks", "volume")):
        if changes := body.get(part):
            adds = changes[0][0] == "add"
            return f"{'attach' if adds else 'detach'}_{name}"
    return "update"


@frozen
class Action:
    """What one request had done to a server.

    :ivar steps: in order.
    """

    request: str
    steps: Sequence[Step]

    @property
    def name(self) -> str:
        """What it was about; stopping and starting around that do not count."""
        names = [step.name for step in self.steps]
        return next((name for name in names if name not in _MINOR), names[0])

    @property
    def failed(self) -> bool:
        """Whether any of it has failed."""
        return any(step.failed for step in self.steps)


def actions(steps: Sequence[Step]) -> Sequence[Action]:
    """Steps by request, the newest request first.

    :param steps: newest first.
    """
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(step.request, []).insert(0, step)
    return [Action(request, tuple(each)) for request, each in found.items()]
