"""Actions on servers that a cluster carries out: start, stop, reboot, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from attrs import evolve, frozen

from snfd import outbox
from snfd.clock import Seconds, now
from snfd.compute import passwords
from snfd.compute.model import Locked
from snfd.compute.settle import apply
from snfd.compute.states import Footprint, State, Task, difference, may_begin
from snfd.compute.store import rows
from snfd.db.port import Database, Transaction
from snfd.errors import (
    BuildInProgress,
    Busy,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
)
from snfd.ganeti import names, requests
from snfd.ganeti.model import Event, Kind, Outcome
from snfd.ganeti.requests import Request
from snfd.identity.model import Caller, require_writer
from snfd.network.scope import Scope
from snfd.quota import service as quota
from snfd.sealed import Sealer

RETRY_AFTER = 30
"""Seconds that a client is asked to wait for an unreachable cluster."""


@frozen
class Plan:
    """What a task has a cluster do.

    :ivar requests: one after the other.
    :ivar hard: of a reboot: the hard kind.
    :ivar to: where it leads, if the kind of the task does not say.
    :ivar flavor: the size that it leads to, or None: the same.
    :ivar size: what the server takes with it, or None: the same.
    """

    task: Task
    requests: Sequence[Request]
    hard: bool = False
    to: State | None = None
    flavor: int | None = None
    size: Footprint | None = None

    @classmethod
    def while_stopped(
        cls, task: Task, server: Locked, change: Request, to: State
    ) -> Plan:
        """Change an instance that must not run meanwhile.

        It is stopped first if need be, and started again, also where the change
        fails, if it is to run in the end.
        """
        chain = [change]
        if server.state is State.STARTED:
            chain = [requests.stop(server.id), evolve(change, strict=True)]
        if to is State.STARTED:
            chain.append(requests.start(server.id))
        return cls(task, chain, to=to)


@frozen(eq=False)
class Actions:
    """What users have their servers do."""

    db: Database
    clock: Seconds
    new_id: Callable[[], UUID]
    request_id: Callable[[], str | None]
    sealer: Sealer

    async def start(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Start a stopped server.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: it is suspended, or the caller only reads.
        :raises Busy: it is not stopped, or has another task.
        :raises OverQuota: no room for another running server.
        :raises Unavailable: its cluster does not answer.
        """
        await self._act(caller, scope, ident, Task.START, requests.start)

    async def stop(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Stop a running server; queued while its cluster does not answer.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: it is suspended, or the caller only reads.
        :raises Busy: it is not running, or has another task.
        """
        await self._act(caller, scope, ident, Task.STOP, requests.stop)

    async def reboot(
        self, caller: Caller, scope: Scope, ident: int, *, hard: bool
    ) -> None:
        """Reboot a server; a stopped one is started.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: it is suspended, or the caller only reads.
        :raises Busy: it is being built, in error, or has another task.
        :raises OverQuota: no room for another running server.
        :raises Unavailable: its cluster does not answer.
        """

        def request(server: int) -> Request:
            return requests.reboot(server, hard=hard)

        await self._act(caller, scope, ident, Task.REBOOT, request, hard=hard)

    async def delete(self, caller: Caller, scope: Scope, ident: int) -> None:
        """Remove a server, whatever it is doing; twice does no harm.

        :raises NotFound: there is none in the scope.
        :raises Forbidden: it is suspended, or the caller only reads.
        :raises Invalid: it is gone already.
        """
        require_writer(caller)
        await self.db.run(self._delete, caller, scope, ident)

    async def _act(
        self,
        caller: Caller,
        scope: Scope,
        ident: int,
        task: Task,
        request: Callable[[int], Request],
        *,
        hard: bool = False,
    ) -> None:
        require_writer(caller)
        await self.db.run(self._simple, caller, scope, ident, task, request, hard)

    async def _simple(
        self,
        tx: Transaction,
        caller: Caller,
        scope: Scope,
        ident: int,
        task: Task,
        request: Callable[[int], Request],
        hard: bool,
    ) -> None:
        server = await ready(tx, scope, ident, task)
        wanted = request(server.id)
        if server.new_password and task in (Task.START, Task.REBOOT):
            wanted = await passwords.applied(tx, self.sealer, server, now(self.clock))
        await self.begin(tx, caller, server, Plan(task, [wanted], hard))

    async def begin(
        self, tx: Transaction, caller: Caller, server: Locked, plan: Plan
    ) -> None:
        """Have a locked server do what is planned, and hold the quota for it.

        Each of the jobs waits for the one before; the task ends with the last.

        :raises OverQuota: no room for what the server will be.
        """
        intent: UUID | None = None
        for request in plan.requests:
            intent = await self._put(tx, caller, server, request, intent)
        assert intent is not None
        await rows.begin(
            tx, server, plan.task, intent,
            hard=plan.hard, to=plan.to, flavor=plan.flavor,
        )  # fmt: skip
        busy = evolve(
            server, task=plan.task, task_to=plan.to, task_size=plan.size, intent=intent
        )
        await self._reserve(tx, busy)

    async def _put(
        self,
        tx: Transaction,
        caller: Caller,
        server: Locked,
        request: Request,
        after: UUID | None,
    ) -> UUID:
        intent = self.new_id()
        subject = names.server_subject(server.id)
        made = requests.intent(
            intent, server.cluster, subject, request,
            depends=() if after is None else (after,),
            actor=caller.user, request_id=self.request_id(),
        )  # fmt: skip
        await outbox.put(tx, made)
        return intent

    async def _reserve(self, tx: Transaction, server: Locked) -> None:
        """Hold the quota of a locked server's new task."""
        if server.target is None or server.intent is None:
            return
        state, size = server.target
        change = difference(server.state, state, server.footprint, size)
        if not change:
            return
        force = server.task is Task.DESTROY
        serial = await quota.reserve(
            tx, server.owner, server.project, change, server.intent, force=force
        )
        await rows.update(
            tx, server.id, commission=serial, commission_from=server.state.value
        )

    async def _delete(
        self, tx: Transaction, caller: Caller, scope: Scope, ident: int
    ) -> None:
        server = await ready(tx, scope, ident, Task.DESTROY)
        if server.task is Task.DESTROY:
            return
        subject = names.server_subject(server.id)
        withdrawn = await outbox.withdraw(tx, subject)
        if any(one.kind == Kind.CREATE for one in withdrawn):
            await self._never_made(tx, server, subject)
            return
        if server.commission is not None:
            await quota.reject(tx, server.commission)
        plan = Plan(Task.DESTROY, [requests.remove(server.id)])
        await self.begin(tx, caller, server, plan)

    async def _never_made(self, tx: Transaction, server: Locked, subject: str) -> None:
        """End a server that no cluster has heard of."""
        idle = evolve(server, task=None, intent=None, settled_at=None)
        gone = Outcome(None, subject, Event.REMOVED, None, now(self.clock))
        await apply(tx, idle, gone)


async def changeable(tx: Transaction, scope: Scope, ident: int) -> Locked:
    """Lock a server that its users may change.

    :raises NotFound: there is none in the scope.
    :raises Invalid: it is gone already.
    :raises Forbidden: it is suspended, or the caller only reads.
    """
    server = await rows.lock(tx, ident, scope)
    if server is None:
        raise NotFound(f"there is no server {ident}")
    scope.check_change(server.project)
    if server.state is State.DESTROYED:
        raise Invalid(f"server {ident} has been deleted")
    if server.suspended and not scope.custodian:
        raise Forbidden("the server is suspended by an administrator")
    return server


def idle(server: Locked) -> None:
    """Pass if a locked server has no task.

    :raises BuildInProgress: it is still being built.
    :raises Busy: it has another task.
    """
    if server.state is State.BUILD or server.task is Task.BUILD:
        raise BuildInProgress("the server is still being built")
    if server.task is not None:
        raise Busy(f"the server is busy with {server.task.value}")


async def ready(tx: Transaction, scope: Scope, ident: int, task: Task) -> Locked:
    """Lock a server that may begin ``task`` now.

    :raises NotFound: as `changeable`.
    :raises Invalid: as `changeable`.
    :raises Forbidden: as `changeable`.
    :raises Busy: its state or its current task excludes it.
    :raises Unavailable: its cluster does not answer, and the task cannot wait.
    """
    server = await changeable(tx, scope, ident)
    shown = State.STOPPED if server.crashed and task is Task.START else server.state
    may_begin(shown, server.task, task)
    if not server.reachable and task not in (Task.STOP, Task.DESTROY):
        raise Unavailable(
            "the server's cluster does not answer", retry_after=RETRY_AFTER
        )
    return server
