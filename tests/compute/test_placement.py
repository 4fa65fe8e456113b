"""Which cluster gets a new server."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.placement import ClusterFacts, Want, choose, ganeti_template, score

ONE = ClusterFacts(
    1, "one", 0, "kvm", "snf-image+default", ("file",), ("default",),
    mfree=8192, mtotal=16384, dfree=100_000, dtotal=200_000, pinst=4, ctotal=16,
)  # fmt: skip
WANT = Want(1024, 10_240, "file")

amounts = st.one_of(st.none(), st.integers(0, 10_000))
facts = st.builds(
    ClusterFacts,
    st.integers(1, 9),
    st.just("c"),
    st.just(0),
    st.just("kvm"),
    st.just("noop"),
    st.sampled_from([("file",), ("plain",), ("plain", "file"), ()]),
    st.just(("default",)),
    drained=st.booleans(),
    offline=st.booleans(),
    public=st.booleans(),
    reachable=st.booleans(),
    mfree=amounts,
    mtotal=amounts,
    dfree=amounts,
    dtotal=amounts,
    pinst=amounts,
    ctotal=amounts,
)


class PlacementTests(SynchronousTestCase):
    @given(st.lists(facts, max_size=6))
    def test_the_chosen_one_may_take_it_and_none_is_better(
        self, clusters: list[ClusterFacts]
    ) -> None:
        usable = [
            one
            for one in clusters
            if one.public
            and one.reachable
            and not one.drained
            and not one.offline
            and "file" in one.templates
        ]
        found = choose(clusters, WANT)
        if not usable:
            assert found is None
            return
        assert found in usable

    @given(st.lists(facts, max_size=6), st.randoms())
    def test_order_does_not_matter(self, clusters: list[ClusterFacts], dice) -> None:  # type: ignore[no-untyped-def]
        distinct = list({one.id: one for one in clusters}.values())
        shuffled = list(distinct)
        dice.shuffle(shuffled)
        assert choose(distinct, WANT) == choose(shuffled, WANT)

    def test_the_emptier_one(self) -> None:
        full = evolve(ONE, id=2, mfree=2048, dfree=20_000, pinst=10)
        self.assertEqual(ONE, choose([full, ONE], WANT))
        self.assertLess(score(ONE), score(full))

    def test_what_does_not_fit_is_the_last_resort(self) -> None:
        tight = evolve(ONE, id=2, mfree=512, pinst=0)
        self.assertEqual(ONE, choose([tight, ONE], WANT))
        self.assertEqual(tight, choose([tight], WANT))

    def test_a_cluster_without_statistics_is_no_error(self) -> None:
        bare = ClusterFacts(3, "new", 1, "kvm", "noop", ("file",), ())
        self.assertEqual(bare, choose([bare], WANT))
        self.assertEqual(1.0 * 0.5 + 0.25, score(bare))

    def test_drbd_needs_the_space_twice(self) -> None:
        self.assertEqual(2048, Want(1, 1024, "drbd").space)

    def test_templates_of_providers(self) -> None:
        self.assertEqual(("ext", "archipelago"), ganeti_template("ext_archipelago"))
        self.assertEqual(("file", None), ganeti_template("file"))
