"""Placing servers on several clusters, with real rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid5

from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.model import NewServer
from snfd.compute.store import clusters
from snfd.errors import Unavailable
from snfd.identity.model import Caller
from snfd.network.scope import Scope
from tests.compute.kit import IMAGE, ComputeCloud, compute_cloud
from tests.identity.cloud import SPACE

ROOM = {"mfree": 8192, "mtotal": 8192, "dfree": 200_000, "dtotal": 200_000,
        "pinst_cnt": 0, "ctotal": 64}  # fmt: skip


class AllocationTests(SynchronousTestCase):
    """Clusters one and two, of which the second is as large as wanted."""

    def setUp(self) -> None:
        self.cloud: ComputeCloud = compute_cloud(self)
        self.one = self.ident("one")
        self.measure("one", **ROOM)

    def ident(self, name: str) -> int:
        found = self.cloud.people.sql(
            "SELECT id FROM compute.cluster WHERE name = %s", name
        )
        return int(str(found[0][0]))

    def measure(self, name: str, **columns: object) -> None:
        """The cluster's statistics, read just now."""
        changes = ", ".join(f"{key} = %s" for key in columns)
        self.cloud.people.execute(
            f"UPDATE compute.cluster SET {changes}, stats_at = clock_timestamp()"
            " WHERE name = %s",
            *columns.values(),
            name,
        )

    def two(self, **columns: object) -> int:
        ident = self.cloud.cluster("two", 2)
        self.measure("two", **{**ROOM, **columns})
        return ident

    def placed(self) -> Counter[int]:
        rows = self.cloud.people.sql("SELECT cluster FROM compute.server")
        return Counter(int(str(row[0])) for row in rows)

    def refused(self, caller: Caller | None = None) -> None:
        who = caller or self.cloud.caller()
        spec = NewServer("web", self.cloud.flavor(), image=IMAGE)
        error = self.cloud.fails(
            self.cloud.compute.servers.create(who, Scope.own(who), spec),
            Unavailable,
        )
        assert isinstance(error, Unavailable)
        self.assertEqual(30, error.details["retry_after"])

    def test_what_is_under_way_counts_before_the_next_statistics(self) -> None:
        two = self.two()
        for number in range(10):
            self.cloud.create(f"s{number}")
        self.assertEqual({self.one: 5, two: 5}, self.placed())

    def test_a_small_cluster_is_not_overfilled(self) -> None:
        small = self.two(mfree=400, mtotal=400)
        for number in range(20):
            self.cloud.create(f"s{number}")
        # 128 MiB each: the third would leave nothing
        self.assertLessEqual(self.placed()[small], 3)
        self.assertEqual(20, sum(self.placed().values()))

    def test_builds_that_statistics_have_not_seen_still_count(self) -> None:
        two = self.two(mfree=8000)
        self.cloud.create("first")
        self.measure("one", **ROOM)  # read before the instance started
        self.cloud.create("second")
        self.assertEqual({self.one: 1, two: 1}, self.placed())

    def test_cyclades_36_24_all_drained_is_503_and_nothing_is_recorded(self) -> None:
        self.two(drained=True)
        self.measure("one", drained=True)
        self.refused()
        self.assertEqual(Counter(), self.placed())
        self.assertEqual({}, self.cloud.usage())
        self.assertEqual([], list(self.cloud.intents()))

    def test_cyclades_36_25_what_does_not_answer_is_skipped(self) -> None:
        two = self.two()
        for away in ("reachable = false", "offline = true"):
            self.cloud.people.execute(
                f"UPDATE compute.cluster SET {away} WHERE id = %s", self.one
            )
            self.cloud.create("web")
            self.cloud.people.execute(
                "UPDATE compute.cluster SET reachable = true, offline = false"
            )
        self.assertEqual({two: 2}, self.placed())
        self.cloud.people.execute("UPDATE compute.cluster SET reachable = false")
        self.refused()

    def test_a_project_is_kept_to_its_clusters(self) -> None:
        two = self.two(public=False)
        self.cloud.people.execute(
            "INSERT INTO compute.project_cluster VALUES (%s, %s)",
            self.cloud.project,
            two,
        )
        self.cloud.create("web")
        other = self.cloud.create("else", "other", project=uuid5(SPACE, "project alt"))
        rows = self.cloud.people.sql("SELECT id, cluster FROM compute.server")
        where = {int(str(row[0])): row[1] for row in rows}
        self.assertEqual({two: 1, self.one: 1}, self.placed())
        self.assertEqual(self.one, where[other.id])

    def test_a_person_is_sent_where_the_administrator_says(self) -> None:
        two = self.two(public=False, drained=True)
        self.cloud.people.execute(
            "INSERT INTO compute.user_cluster VALUES (%s, %s)",
            uuid5(SPACE, "demo"),
            two,
        )
        self.cloud.create("web")
        self.assertEqual({two: 1}, self.placed())

    def test_weights_count(self) -> None:
        heavy = self.two(weight=3.0)
        for number in range(8):
            self.cloud.create(f"s{number}")
        self.assertGreater(self.placed()[heavy], self.placed()[self.one])

    def test_servers_that_the_figures_have_counted_are_not_looked_at(self) -> None:
        self.cloud.create("old")
        people = self.cloud.people
        people.execute(
            "INSERT INTO compute.server (name, owner, project, cluster, flavor, state,"
            " created, launched) SELECT 'more', owner, project, cluster, flavor,"
            " 'STARTED', created - interval '1 day', created - interval '1 day'"
            " FROM compute.server, generate_series(1, 2000)"
        )
        self.measure("one", **ROOM)
        people.execute("ANALYZE compute.server")
        plan = people.sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {clusters._FACTS}")[0][0]
        scans = [each for each in nodes(plan) if each.get("Alias") == "s"]
        self.assertTrue(scans)
        for each in scans:
            self.assertLessEqual(each["Actual Rows"], 1)
            self.assertEqual(0, each.get("Rows Removed by Filter", 0))


def nodes(plan: Any) -> Iterator[Mapping[str, Any]]:
    """Every step of a plan."""
    if isinstance(plan, Mapping):
        yield plan
    for part in plan.values() if isinstance(plan, Mapping) else plan:
        if isinstance(part, Mapping | list):
            yield from nodes(part)
