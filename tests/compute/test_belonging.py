"""Servers move between projects, and into administrators' custody."""

from __future__ import annotations

from uuid import UUID, uuid5

from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import Actor
from snfd.compute.states import Footprint, State, usage
from snfd.errors import (
    BuildInProgress,
    Busy,
    CloudError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OverQuota,
)
from tests.compute.kit import compute_cloud
from tests.identity.cloud import SPACE

ALT = uuid5(SPACE, "project alt")
SIZE = Footprint(1, 128, 1)


class ReassignTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)

    def reassign(
        self, server: int, project: UUID = ALT, who: str = "demo", shared: bool = False
    ) -> None:
        self.cloud.wait(self._reassign(server, project, who, shared))

    def _reassign(self, server: int, project: UUID, who: str, shared: bool):  # type: ignore[no-untyped-def]
        return self.cloud.compute.reassigning.reassign(
            self.cloud.caller(who), self.cloud.scope(who), server, project,
            shared=shared,
        )  # fmt: skip

    def refused(
        self,
        error: type[CloudError],
        server: int,
        project: UUID = ALT,
        who: str = "demo",
    ) -> None:
        before = self.cloud.usage(), self.cloud.usage(project="alt")
        self.cloud.fails(self._reassign(server, project, who, False), error)
        self.assertEqual(before, (self.cloud.usage(), self.cloud.usage(project="alt")))

    def held(self, state: State) -> dict[str, int]:
        return {name: use for name, use in usage(state, SIZE).items() if use}

    def test_cyclades_45_what_it_uses_moves_with_it(self) -> None:
        server = self.cloud.active()
        self.reassign(server.id)
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual(self.held(State.STARTED), self.cloud.usage(project="alt"))
        self.assertEqual(ALT, self.cloud.show(server.id).project)
        self.assertEqual(ALT, self.cloud.ports(server.id)[0].project)
        actions, who = self.cloud.compute.actions, self.cloud.caller()
        self.cloud.wait(actions.stop(who, self.cloud.scope(), server.id))
        self.cloud.work()
        self.assertEqual(self.held(State.STOPPED), self.cloud.usage(project="alt"))
        self.reassign(server.id, self.cloud.project)
        self.assertEqual({}, self.cloud.usage(project="alt"))
        self.assertEqual(self.held(State.STOPPED), self.cloud.usage())
        self.cloud.wait(actions.delete(who, self.cloud.scope(), server.id))
        self.cloud.work()
        self.assertEqual({}, self.cloud.usage())

    def test_sharing_alone_moves_nothing(self) -> None:
        server = self.cloud.active()
        self.reassign(server.id, self.cloud.project, shared=True)
        self.assertTrue(self.cloud.show(server.id).shared)
        self.assertEqual(self.held(State.STARTED), self.cloud.usage())

    def test_cyclades_45_who_and_where(self) -> None:
        server = self.cloud.active(shared=True)
        self.refused(NotFound, server.id, who="other")
        self.refused(Forbidden, server.id, self.cloud.project, who="boss")
        self.refused(Invalid, server.id, UUID(int=99))
        clusters, flavors = "compute.cluster", "compute.flavor"
        for table in (clusters, flavors):
            self.cloud.people.execute(f"UPDATE {table} SET public = false")
            self.refused(Forbidden, server.id)
            self.cloud.people.execute(f"UPDATE {table} SET public = true")
        self.cloud.people.execute("UPDATE compute.cluster SET public = false")
        self.cloud.people.execute(
            "INSERT INTO compute.project_cluster SELECT %s, id FROM compute.cluster",
            ALT,
        )
        self.reassign(server.id)

    def test_not_in_between(self) -> None:
        server = self.cloud.create()
        self.refused(BuildInProgress, server.id)
        self.cloud.work()
        actions = self.cloud.compute.actions
        self.cloud.wait(
            actions.stop(self.cloud.caller(), self.cloud.scope(), server.id)
        )
        self.refused(Busy, server.id)

    def test_without_room_it_stays(self) -> None:
        server = self.cloud.active()
        self.cloud.people.execute(
            "UPDATE quota.holding SET cap = 0 WHERE resource = 'cyclades.vm'"
            " AND project_id = %s",
            ALT,
        )
        self.refused(OverQuota, server.id)
        self.assertEqual(self.cloud.project, self.cloud.show(server.id).project)

    def test_not_with_what_is_somebody_elses(self) -> None:
        server = self.cloud.active()
        self.cloud.people.execute(
            "UPDATE compute.port SET owner = %s WHERE server = %s",
            uuid5(SPACE, "boss"), server.id,
        )  # fmt: skip
        self.refused(Conflict, server.id)


class CustodyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        self.actor = Actor(uuid5(SPACE, "boss"), "boss")

    def suspend(self, server: int, suspended: bool = True) -> None:
        custody = self.cloud.compute.custody
        self.cloud.wait(custody.suspend(self.actor, server, suspended=suspended))

    def test_cyclades_43_users_only_look(self) -> None:
        server = self.cloud.active()
        self.suspend(server.id)
        self.suspend(server.id)
        who, scope = self.cloud.caller(), self.cloud.scope()
        compute = self.cloud.compute
        for work in (
            compute.actions.stop(who, scope, server.id),
            compute.actions.reboot(who, scope, server.id, hard=True),
            compute.actions.delete(who, scope, server.id),
            compute.servers.rename(who, scope, server.id, "new"),
            compute.resizing.resize(
                who, scope, server.id, self.cloud.flavor(1, 512), running=True
            ),
            compute.reassigning.reassign(who, scope, server.id, ALT, shared=False),
            compute.metadata.merge(who, scope, server.id, {"a": "b"}),
        ):
            self.cloud.fails(work, Forbidden)
        self.assertTrue(self.cloud.show(server.id).suspended)
        self.suspend(server.id, suspended=False)
        self.cloud.wait(compute.actions.stop(who, scope, server.id))
        trail = self.cloud.people.sql("SELECT action FROM ops.audit ORDER BY id")
        found = [row[0] for row in trail if str(row[0]).startswith("server.")]
        self.assertEqual(["server.suspend", "server.release"], found)

    def test_only_what_there_is(self) -> None:
        custody = self.cloud.compute.custody
        self.cloud.fails(custody.suspend(self.actor, 99, suspended=True), NotFound)
        server = self.cloud.create()
        self.cloud.wait(
            self.cloud.compute.actions.delete(
                self.cloud.caller(), self.cloud.scope(), server.id
            )
        )
        self.cloud.fails(
            custody.suspend(self.actor, server.id, suspended=True), Invalid
        )
