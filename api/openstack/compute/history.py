"""``/servers/{server}/os-instance-actions`` of compute v2.1."""

from __future__ import annotations

from typing import Self

from attrs import frozen

from api.openstack.compute.servers import existing, within
from api.operations import Reply, operation
from api.times import micros_bare
from snfd.compute.history import Action, Step
from snfd.compute.model import Server
from snfd.compute.service import Compute
from snfd.errors import NotFound
from snfd.identity.model import Caller


class ActionView(Reply):
    """What one request had done to a server."""

    action: str
    instance_uuid: str
    message: str | None
    project_id: str
    request_id: str
    start_time: str
    user_id: str

    @classmethod
    def of(cls, server: Server, action: Action) -> Self:
        """An action, in short."""
        first = action.steps[0]
        return cls(
            action=action.name,
            instance_uuid=str(server.id),
            message="Error" if action.failed else None,
            project_id=str(server.project),
            request_id=action.request,
            start_time=micros_bare(first.began),
            user_id=str(first.actor or server.owner),
        )


class EventView(Reply):
    """One step of an action; what went wrong is in the action's message."""

    event: str
    start_time: str
    finish_time: str | None
    result: str | None
    traceback: None = None

    @classmethod
    def of(cls, step: Step) -> EventView:
        """A step."""
        ended = step.finished
        result = None if ended is None else "Error" if step.failed else "Success"
        return cls(
            f"compute__{step.name}",
            micros_bare(step.began),
            None if ended is None else micros_bare(ended),
            result,
        )


class FullActionView(ActionView):
    """What one request had done to a server, with its steps."""

    events: list[EventView] = []


class ActionsReply(Reply, rename={"actions": "instanceActions"}):
    """All that was done to a server."""

    actions: list[ActionView]


class ActionReply(Reply, rename={"action": "instanceAction"}):
    """What one request had done to a server."""

    action: FullActionView


@frozen(eq=False)
class HistoryApi:
    """What was done to servers."""

    compute: Compute

    @operation("GET", "/servers/<server>/os-instance-actions")
    async def index(self, caller: Caller, server: int) -> ActionsReply:
        """List what was done to a server, newest first."""
        found = await existing(self.compute, caller, server)
        told = await self.compute.journal.of(within(caller), server)
        return ActionsReply([ActionView.of(found, one) for one in told])

    @operation("GET", "/servers/<server>/os-instance-actions/<request_id>")
    async def show(self, caller: Caller, server: int, request_id: str) -> ActionReply:
        """Show what one request had done to a server."""
        found = await existing(self.compute, caller, server)
        for one in await self.compute.journal.of(within(caller), server):
            if one.request == request_id:
                view = FullActionView.of(found, one)
                view.events = [EventView.of(step) for step in one.steps]
                return ActionReply(view)
        raise NotFound(f"no request {request_id} did anything to the server")
