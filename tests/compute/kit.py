"""A cloud of servers to test with: real SQL, and a cluster in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from attrs import define, evolve, field
from twisted.trial.unittest import SynchronousTestCase

from snfd.clock import now
from snfd.compute import seed
from snfd.compute.model import ImageFacts, NewServer, Server
from snfd.compute.service import Compute, Parts, compute
from snfd.compute.settle import settle
from snfd.db.port import Transaction
from snfd.errors import NotFound
from snfd.ganeti import names
from snfd.ganeti.fake import FakeGaneti
from snfd.ganeti.model import Event, Instance, Job, Outcome, Status
from snfd.ganeti.requests import Request
from snfd.ganeti.verdict import judge, needs_instance
from snfd.identity.model import Caller
from snfd.intent import Entry
from snfd.network.model import Filter
from snfd.network.scope import Scope
from snfd.network.service import NetworkServices
from snfd.outbox import COLUMNS, entry
from tests.identity.cloud import SPACE, IdentityCloud, identity_cloud
from tests.postgres import keep

IMAGE = UUID(int=7)
KEPT = "compute"
LIMITS = {
    "cyclades.vm": 20,
    "cyclades.cpu": 40,
    "cyclades.total_cpu": 40,
    "cyclades.ram": 40 << 30,
    "cyclades.total_ram": 40 << 30,
    "cyclades.disk": 400 << 30,
    "cyclades.network.private": 4,
    "cyclades.floating_ip": 4,
}


class XorSealer:
    """Seals nothing away, but binds to its place."""

    def seal(self, plain: bytes, table: str, column: str, row: str) -> bytes:
        return f"{table}/{column}/{row}|".encode() + bytes(b ^ 0x5A for b in plain)

    def open(self, sealed: bytes, table: str, column: str, row: str) -> bytes:
        place, _, kept = sealed.partition(b"|")
        assert place == f"{table}/{column}/{row}".encode()
        return bytes(b ^ 0x5A for b in kept)


@define
class FakeImages:
    """Images that everybody may use."""

    known: dict[UUID, ImageFacts] = field(
        factory=lambda: {
            IMAGE: ImageFacts(IMAGE, "tiny", 64 << 20, properties={"osfamily": "linux"})
        }
    )

    async def usable(self, caller: Caller, image: UUID) -> ImageFacts:
        if image not in self.known:
            raise NotFound(f"there is no image {image}")
        return self.known[image]


@define(eq=False)
class ComputeCloud:
    """The services of one test, and shorthands."""

    people: IdentityCloud
    images: FakeImages = field(factory=FakeImages)
    points: list[str] = field(factory=list)
    ganeti: FakeGaneti = field(init=False)
    compute: Compute = field(init=False)
    networks: NetworkServices = field(init=False)
    project: UUID = field(init=False)
    dice: random.Random = field(factory=lambda: random.Random(1))
    ids: int = 0

    def __attrs_post_init__(self) -> None:
        people = self.people
        self.project = uuid5(SPACE, "project demo")
        self.ganeti = FakeGaneti(people.clock)
        self.ganeti.queue.last = 100
        self.networks = NetworkServices.build(people.db, self.new_id)
        self.compute = compute(
            Parts(
                db=people.db,
                clock=people.clock,
                images=self.images,
                sealer=XorSealer(),
                base_url="http://cloud.test",
                new_id=self.new_id,
                draw=self.dice.randrange,
                token=lambda: self.dice.randbytes(32),
                request_id=lambda: "req-1",
                probe=self.points.append,
            )
        )
        keep(people.db, KEPT, self.fill)

    def fill(self) -> None:
        """People and a cluster; tests in turn share what this does to the database."""
        people = self.people
        for name in ("demo", "other", "watcher", "boss"):
            people.user(name, None, *(("admin",) if name == "boss" else ()))
        people.project("demo", LIMITS, demo="member", watcher="reader", boss="member")
        people.project("alt", LIMITS, other="member", demo="member")
        self.cluster("one", 1)
        self.wait(seed.seed(people.db, seed.Demo()))

    @property
    def wait(self) -> Callable[..., Any]:
        return self.people.wait

    @property
    def fails(self) -> Callable[..., Any]:
        return self.people.fails

    def new_id(self) -> UUID:
        self.ids += 1
        return UUID(int=self.ids)

    def caller(self, name: str = "demo", project: str = "demo") -> Caller:
        uuid = uuid5(SPACE, name)
        alt = uuid5(SPACE, "project alt")
        known = {
            "demo": {self.project, alt, uuid},
            "other": {alt, uuid},
            "watcher": {self.project, uuid},
            "boss": {self.project, uuid},
        }
        roles = {"watcher": {"reader"}, "boss": {"reader", "member", "admin"}}
        return Caller(
            user=uuid,
            username=name,
            project=uuid5(SPACE, f"project {project}"),
            project_name=project,
            roles=frozenset(roles.get(name, {"reader", "member"})),
            projects=frozenset(known[name]),
            token_hash=name.encode().ljust(32, b"."),
            expires=self.people.wait(self.people.db.read("SELECT now()"))[0][0],
            reads=frozenset({self.project} if name == "watcher" else ()),
        )

    def scope(self, name: str = "demo") -> Scope:
        return Scope.own(self.caller(name))

    def cluster(self, name: str, idx: int, **columns: object) -> int:
        values = {
            "name": name,
            "url": "https://127.0.0.1:5080",
            "username": "snfd",
            "secret": b"",
            "idx": idx,
            "disk_templates": ["file"],
            **columns,
        }
        names_ = ", ".join(values)
        marks = ", ".join("%s" for _ in values)
        self.people.execute(
            f"INSERT INTO compute.cluster ({names_}) VALUES ({marks})", *values.values()
        )
        found = self.people.sql("SELECT id FROM compute.cluster WHERE name = %s", name)
        return int(str(found[0][0]))

    def create(self, name: str = "web", who: str = "demo", **more: Any) -> Server:
        flavor = more.pop("flavor", None) or self.flavor()
        spec = NewServer(name, flavor, image=IMAGE, **more)
        caller = self.caller(who)
        server: Server
        server, _ = self.wait(
            self.compute.servers.create(caller, Scope.own(caller), spec)
        )
        return server

    def flavor(self, cpu: int = 1, ram: int = 128) -> int:
        found = self.people.sql(
            "SELECT id FROM compute.flavor WHERE cpu = %s AND ram = %s", cpu, ram
        )
        return int(str(found[0][0]))

    def show(self, ident: int) -> Server:
        found: Server = self.wait(self.compute.servers.show(self.scope(), ident))
        return found

    def active(self, name: str = "web", **more: Any) -> Server:
        server = self.create(name, **more)
        self.work()
        found: Server = self.show(server.id)
        return found

    def usage(self, who: str = "demo", project: str = "demo") -> Mapping[str, int]:
        found = self.wait(
            self.people.quota.usage_in(
                self.caller(who), uuid5(SPACE, f"project {project}")
            )
        )
        return {
            name: use.usage for name, use in found.items() if use.usage or use.pending
        }

    def pending(self) -> int:
        return int(str(self.people.sql("SELECT count(*) FROM quota.commission")[0][0]))

    # ---------------------------------------------------------------- cluster

    def intents(self) -> Sequence[Entry]:
        rows = self.people.sql(
            f"SELECT {COLUMNS} FROM ops.outbox WHERE finished IS NULL ORDER BY seq"
        )
        return [entry(row) for row in rows]

    def work(self, fail: str = "") -> list[Outcome]:
        """Let the cluster do all that was asked for, or fail at it."""
        return [self.one(waiting, fail) for waiting in self.intents()]

    def one(self, waiting: Entry, fail: str = "") -> Outcome:
        outcome = self.outcome(waiting, fail)
        self.settle(outcome)
        return outcome

    def outcome(self, waiting: Entry, fail: str = "") -> Outcome:
        intent = waiting.intent
        request = self.wait(self.compute.handoffs.enrich(Request.of(intent), intent))
        job = self.wait(self.ganeti.submit(request, names.reason(intent.id)))
        if fail:
            self.ganeti.queue.fail(job, fail, "")
        else:
            self.ganeti.queue.finish(job)
        done = self.ganeti.queue.known(job)
        assert done is not None
        instance = self.instance(request.name)
        network = self.ganeti.world.networks.get(request.name)
        verdict = judge(intent, done, instance, network)
        shown = instance if needs_instance(intent.kind, done) else None
        assert done.ended is not None
        self.people.execute(
            "UPDATE ops.outbox SET state = %s, finished = now() WHERE id = %s",
            str(verdict.state), intent.id,
        )  # fmt: skip
        return Outcome(
            intent, intent.subject, verdict.event, done, done.ended,
            verdict.error, shown, network, intent.cluster,
        )  # fmt: skip

    def instance(self, name: str) -> Instance | None:
        """The instance as a cluster with VNC would show it."""
        found = self.ganeti.world.instances.get(name)
        if found is None:
            return None
        shown = {**found.hvparams, "vnc_bind_address": "127.0.0.9"}
        return evolve(found, node="node1", port=11000, hvparams=shown)

    def settle(self, outcome: Outcome) -> None:
        self.people.clock.advance(1)

        async def work(tx: Transaction) -> None:
            await settle(tx, outcome)

        self.wait(self.people.db.run(work))

    def seen(
        self, server: int, event: Event, job: int | None = None, **more: Any
    ) -> None:
        """Something that the cluster did by itself, or somebody else had it do."""
        self.people.clock.advance(1)
        made = None if job is None else Job(job, Status.SUCCESS, ())
        cluster = self.people.sql(
            "SELECT cluster FROM compute.server WHERE id = %s", server
        )
        where = int(str(cluster[0][0]))
        outcome = Outcome(
            None,
            f"server:{server}",
            event,
            made,
            now(self.people.clock),
            cluster=where,
            **more,
        )
        self.settle(outcome)

    def ports(self, server: int) -> Any:
        return self.wait(
            self.networks.ports.list(
                Scope.project(self.caller("boss"), everything=True),
                Filter(server=server),
            )
        )


def compute_cloud(case: SynchronousTestCase) -> ComputeCloud:
    """A cloud with one cluster, demo data, and users demo, other, watcher, boss."""
    return ComputeCloud(identity_cloud(case, KEPT))
