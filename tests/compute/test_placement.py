"""Which cluster gets a new server."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.placement import (
    ClusterFacts,
    Hints,
    Want,
    balanced,
    choose,
    fits,
    ganeti_template,
    packed,
    score,
)

ONE = ClusterFacts(
    1, "one", 0, "kvm", "snf-image+default", ("file",), ("default",),
    mfree=8192, mtotal=16384, dfree=100_000, dtotal=200_000, pinst=4, ctotal=16,
)  # fmt: skip
WANT = Want(1024, 10_240, "file")

amounts = st.one_of(st.none(), st.integers(0, 30_000))
idents = st.frozensets(st.integers(1, 7), max_size=4)


def many(examples: int) -> settings:
    slow = [HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


def facts(ident: int) -> st.SearchStrategy[ClusterFacts]:
    return st.builds(
        ClusterFacts,
        st.just(ident),
        st.just(f"c{ident}"),
        st.just(ident),
        st.just("kvm"),
        st.just("noop"),
        st.sampled_from([("file",), ("file", "plain"), ("plain",), ()]),
        st.just(("default",)),
        drained=st.booleans(),
        offline=st.booleans(),
        public=st.booleans(),
        reachable=st.booleans(),
        mfree=amounts,
        mtotal=amounts,
        dfree=amounts,
        dtotal=amounts,
        pinst=st.one_of(st.none(), st.integers(0, 100)),
        ctotal=st.one_of(st.none(), st.integers(0, 200)),
        weight=st.floats(0.01, 1000),
    )


situations = st.tuples(*(st.one_of(st.none(), facts(i)) for i in range(1, 7))).map(
    lambda found: [one for one in found if one is not None]
)
wants = st.builds(
    Want,
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.sampled_from(["file", "plain", "drbd"]),
    dedicated=st.one_of(st.just(frozenset()), idents),
    pinned=st.one_of(st.none(), st.none(), st.integers(1, 7)),
    hints=st.builds(Hints, idents, idents, st.booleans()),
)
scores = st.sampled_from(
    [balanced, packed, lambda c, w: math.nan, lambda c, w: float(-c.id)]
)


def open_to(one: ClusterFacts, want: Want) -> bool:
    """The rules, told again in other words."""
    works = one.reachable and not one.offline and want.template in one.templates
    if want.pinned is not None:
        mine = one.id == want.pinned
    elif want.dedicated:
        mine = one.id in want.dedicated and not one.drained
    else:
        mine = one.public and not one.drained
    hints = want.hints
    spoken = one.id in hints.avoid or (hints.prefer and one.id not in hints.prefer)
    return works and mine and not (hints.strict and spoken)


class PlacementTests(SynchronousTestCase):
    @many(1200)
    @given(situations, wants, scores)
    def test_never_a_closed_one_always_one_where_there_is_room(  # type: ignore[no-untyped-def]
        self, clusters, want, judge
    ) -> None:
        usable = [one for one in clusters if open_to(one, want)]
        found = choose(clusters, want, judge)
        if found is None:
            assert not usable
            return
        assert found in usable
        if any(fits(one, want) for one in usable):
            assert fits(found, want)

    @many(400)
    @given(situations, wants, scores, st.randoms())
    def test_order_does_not_matter(  # type: ignore[no-untyped-def]
        self, clusters, want, judge, dice
    ) -> None:
        shuffled = list(clusters)
        dice.shuffle(shuffled)
        assert choose(clusters, want, judge) == choose(shuffled, want, judge)

    @many(400)
    @given(situations, wants)
    def test_what_hints_speak_for_comes_first(self, clusters, want) -> None:  # type: ignore[no-untyped-def]
        found = choose(clusters, want)
        good = [one for one in clusters if open_to(one, want) and fits(one, want)]
        kept = [one for one in good if one.id not in want.hints.avoid]
        if kept:
            assert found is not None and found.id not in want.hints.avoid
        liked = [one for one in kept if one.id in want.hints.prefer]
        if liked:
            assert found is not None and found.id in want.hints.prefer

    @many(100)
    @given(st.integers(1, 6), st.integers(1, 60), st.integers(0, 10_000))
    def test_equal_clusters_fill_evenly(
        self, number: int, servers: int, start: int
    ) -> None:
        clusters = [evolve(ONE, id=i, ctotal=400) for i in range(1, number + 1)]
        taken = self.fill(clusters, servers, start)
        assert max(taken.values()) - min(taken.values()) <= 1, taken

    def test_twice_the_weight_takes_more_until_it_is_twice_as_full(self) -> None:
        heavy = evolve(ONE, id=2, weight=2.0, pinst=0, mfree=16384, dfree=200_000)
        light = evolve(heavy, id=1, weight=1.0)
        big = [evolve(one, ctotal=400) for one in (light, heavy)]
        taken = self.fill(big, 15, 0)
        self.assertEqual({1: 5, 2: 10}, dict(taken))

    def fill(
        self, clusters: list[ClusterFacts], servers: int, start: int
    ) -> Counter[int]:
        taken: Counter[int] = Counter({one.id: 0 for one in clusters})
        dice = Random(start)
        for _ in range(servers):
            dice.shuffle(clusters)
            found = choose(clusters, Want(100, 1000, "file"))
            assert found is not None
            taken[found.id] += 1
            clusters[clusters.index(found)] = evolve(
                found,
                mfree=(found.mfree or 0) - 100,
                dfree=(found.dfree or 0) - 1000,
                pinst=(found.pinst or 0) + 1,
            )
        return taken

    def test_the_emptier_one_and_the_fuller_one(self) -> None:
        full = evolve(ONE, id=2, mfree=2048, dfree=20_000, pinst=10)
        self.assertEqual(ONE, choose([full, ONE], WANT))
        self.assertEqual(full, choose([full, ONE], WANT, packed))
        self.assertLess(score(ONE), score(full))

    def test_what_does_not_fit_is_the_last_resort(self) -> None:
        tight = evolve(ONE, id=2, mfree=512, pinst=0)
        self.assertEqual(ONE, choose([tight, ONE], WANT))
        self.assertEqual(tight, choose([tight], WANT))

    def test_a_cluster_without_statistics_is_no_error(self) -> None:
        bare = ClusterFacts(3, "new", 1, "kvm", "noop", ("file",), ())
        self.assertEqual(bare, choose([bare], WANT))
        self.assertEqual(1.0 * 0.5 + 0.25, score(bare))

    def test_a_project_is_kept_to_its_clusters_and_others_from_them(self) -> None:
        closed = evolve(ONE, id=2, public=False)
        own = evolve(WANT, dedicated=frozenset({2}))
        self.assertEqual(closed, choose([ONE, closed], own))
        self.assertIsNone(choose([ONE], own))
        self.assertIsNone(choose([closed], WANT))

    def test_whoever_is_pinned_gets_his_cluster_drained_or_not(self) -> None:
        mine = evolve(ONE, id=2, public=False, drained=True)
        want = evolve(WANT, pinned=2, dedicated=frozenset({1}))
        self.assertEqual(mine, choose([ONE, mine], want))
        for away in (evolve(mine, offline=True), evolve(mine, reachable=False)):
            self.assertIsNone(choose([ONE, away], want))

    def test_drbd_needs_the_space_twice(self) -> None:
        self.assertEqual(2048, Want(1, 1024, "drbd").space)

    def test_templates_of_providers(self) -> None:
        self.assertEqual(("ext", "archipelago"), ganeti_template("ext_archipelago"))
        self.assertEqual(("file", None), ganeti_template("file"))
