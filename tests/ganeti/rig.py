"""A follower and a dispatcher on a fake cluster and a real database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from attrs import define, field
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from snfd import outbox
from snfd.db.port import Transaction
from snfd.ganeti import requests, store
from snfd.ganeti.dispatcher import Dispatcher, Enrich, as_it_is
from snfd.ganeti.fake import FakeGaneti
from snfd.ganeti.follower import Follower
from snfd.ganeti.lease import Tenure
from snfd.ganeti.model import Outcome
from snfd.ganeti.requests import NewDisk, NewInstance, Request
from snfd.ganeti.settling import Settling
from snfd.intent import Entry, Intent
from snfd.probe import Probe, nothing
from tests.blocking import BlockingDatabase
from tests.postgres import blocking_database

START = 1_790_000_000.0


class Crash(BaseException):
    """The process is killed here."""


def new(server: int) -> Request:
    """A request to create a small instance."""
    return requests.create(
        NewInstance(
            server, "fake", "os", "file", 1, 64, [NewDisk(server, 16)], tags=["a"]
        )
    )


@define(eq=False)
class Rig:
    """Everything for one cluster, and what was settled.

    :ivar outcomes: given to ``settle``, in order.
    :ivar broken: raised by ``settle`` if set.
    """

    case: SynchronousTestCase
    probe: Probe = nothing
    enrich: Enrich = as_it_is
    clock: Clock = field(init=False)
    ganeti: FakeGaneti = field(init=False)
    database: BlockingDatabase = field(init=False)
    cluster: int = field(init=False)
    outcomes: list[Outcome] = field(init=False, factory=list)
    broken: Exception | None = field(init=False, default=None)
    tenure: Tenure = field(init=False)
    follower: Follower = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.ganeti = FakeGaneti(self.clock, lambda point: self.probe(point))
        self.database = blocking_database(self.case)
        given = {
            "url": "https://fake.test:5080",
            "username": "snfd",
            "hypervisor": "fake",
        }
        found = self.run(store.add, "fake", given)
        assert isinstance(found, int)
        self.cluster = found
        self.boot()

    def run(self, work: Callable[..., Any], *args: Any) -> Any:
        """The result of a transaction."""
        return self.case.successResultOf(self.database.run(work, *args))

    def boot(self) -> None:
        """A new process begins its tenure; nothing runs yet."""
        epoch = self.run(store.begin, self.cluster, "test")
        self.tenure = Tenure(self.database, self.cluster, epoch)
        settling = Settling(
            self.clock,
            self.ganeti,
            self.tenure,
            self._settle,
            lambda point: self.probe(point),
        )
        self.follower = Follower(
            self.clock,
            self.ganeti,
            self.tenure,
            settling,
            moved=lambda: self.dispatcher.wake(),
        )
        self.dispatcher = Dispatcher(
            self.clock,
            self.ganeti,
            self.tenure,
            settling,
            lambda: self.follower.seen,
            lambda intent, job: self.follower.watch(intent, job),
            self.enrich,
            lambda point: self.probe(point),
        )

    def start(self) -> None:
        """Run both, and let the first poll pass."""
        self.follower.startService()
        self.dispatcher.startService()
        self.pump(0.1)

    def reboot(self) -> None:
        """The process was killed, and another one takes over."""
        self.kill()
        self.boot()
        self.start()

    def kill(self) -> None:
        """The process is gone: nothing of it runs any more."""
        self.tenure.held = False
        self.case.successResultOf(self.follower.stopService())
        self.case.successResultOf(self.dispatcher.stopService())
        for call in self.clock.getDelayedCalls():
            call.cancel()

    def pump(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass in small steps."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)

    def put(
        self,
        request: Request,
        subject: str = "",
        *,
        depends: tuple[UUID, ...] = (),
    ) -> Intent:
        """Put an intent and wake the dispatcher."""
        intent = requests.intent(
            uuid4(),
            self.cluster,
            subject or request.name.replace("snf-", "server:"),
            request,
            depends=depends,
        )
        self.run(outbox.put, intent)
        self.dispatcher.wake()
        return intent

    def entry(self, intent: Intent) -> Entry:
        """How the intent stands."""

        async def read(tx: Transaction) -> Any:
            sql = f"SELECT {outbox.COLUMNS} FROM ops.outbox WHERE id = %s"
            return await tx.row(sql, (intent.id,))

        return outbox.entry(self.run(read))

    @property
    def events(self) -> list[tuple[str, str]]:
        """Subject and event of each outcome."""
        return [(each.subject, each.event.value) for each in self.outcomes]

    @property
    def submitted(self) -> list[tuple[str, str]]:
        """Opcode and name of each job that the cluster got, by id."""
        return [
            (
                job.ops[0].code,
                job.ops[0].input.get("instance_name")
                or job.ops[0].input["network_name"],
            )
            for job in self.ganeti.queue.listed()
        ]

    async def _settle(self, tx: Transaction, outcome: Outcome) -> None:
        if self.broken is not None:
            raise self.broken
        self.outcomes.append(outcome)
