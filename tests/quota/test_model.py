"""The rules of holdings, over all orders of events."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from snfd.errors import Invalid, OverQuota
from snfd.quota.model import (
    RESOURCES,
    UNLIMITED,
    WHOLE_PROJECT,
    Holding,
    Key,
    Usage,
    provisions,
)

USER, PROJECT = UUID(int=1), UUID(int=2)
KEY = Key(PROJECT, USER, "r")
QUANTITIES = st.integers(-12, 12)


class HoldingMachine(RuleBasedStateMachine):
    """One holding under arbitrary commissions, beside a plain account of them."""

    pending: Bundle[int] = Bundle("pending")

    def __init__(self) -> None:
        super().__init__()
        self.holding = Holding(KEY, cap=10)
        self.settled = 0
        self.open: list[int] = []

    @rule(target=pending, quantity=QUANTITIES, force=st.booleans())
    def issue(self, quantity: int, force: bool) -> int:
        low = self.settled + sum(q for q in self.open if q < 0)
        high = self.settled + sum(q for q in self.open if q > 0)
        refused = (
            low + quantity < 0
            if quantity < 0
            else quantity > 0 and not force and high + quantity > self.holding.cap
        )
        try:
            self.holding = self.holding.issued(quantity, force)
        except OverQuota:
            assert refused
            return 0
        assert not refused
        self.open.append(quantity)
        return quantity

    @rule(quantity=consumes(pending))
    def accept(self, quantity: int) -> None:
        if quantity:
            self.holding = self.holding.accepted(quantity)
            self.open.remove(quantity)
            self.settled += quantity

    @rule(quantity=consumes(pending))
    def reject(self, quantity: int) -> None:
        if quantity:
            self.holding = self.holding.rejected(quantity)
            self.open.remove(quantity)

    @rule(cap=st.integers(0, 20))
    def change_limit(self, cap: int) -> None:
        self.holding = Holding(KEY, cap, self.holding.usage_min, self.holding.usage_max)

    @invariant()
    def adds_up(self) -> None:
        releases = sum(q for q in self.open if q < 0)
        imports = sum(q for q in self.open if q > 0)
        assert self.holding.usage_min == self.settled + releases
        assert self.holding.usage_max == self.settled + imports
        assert 0 <= self.holding.usage_min <= self.settled <= self.holding.usage_max


class HoldingTests(SynchronousTestCase):
    def test_whatever_the_order_of_events_the_sums_hold(self) -> None:
        run_state_machine_as_test(HoldingMachine)

    def test_astakos_25_over_the_limit_says_limit_and_usage(self) -> None:
        error = self.assertRaises(OverQuota, Holding(KEY, 10, 8, 8).issued, 3)
        facts = error.details
        self.assertEqual(
            (10, 8, 3, 2),
            (facts["limit"], facts["usage"], facts["requested"], facts["available"]),
        )

    def test_astakos_27_force_passes_the_limit_and_then_only_releases(self) -> None:
        over = Holding(KEY, 10, 8, 8).issued(3, force=True).accepted(3)
        self.assertEqual(11, over.usage_max)
        self.assertRaises(OverQuota, over.issued, 1)
        self.assertEqual(10, over.issued(-1).accepted(-1).usage_max)

    def test_astakos_28_nothing_goes_below_zero_even_by_force(self) -> None:
        for force in (False, True):
            self.assertRaises(OverQuota, Holding(KEY, 10).issued, -1, force)

    def test_astakos_29_a_pending_release_frees_nothing(self) -> None:
        releasing = Holding(KEY, 10, 5, 5).issued(-2)
        self.assertEqual((5, 2), (releasing.usage_max, 5 - releasing.usage_min))
        self.assertRaises(OverQuota, releasing.issued, 6)
        self.assertEqual(9, releasing.accepted(-2).issued(6).usage_max)

    def test_astakos_33_net_zero_is_unchecked_even_over_the_limit(self) -> None:
        over = Holding(KEY, 1, 5, 5)
        self.assertEqual(over, over.issued(0))

    def test_no_sum_passes_64_bits(self) -> None:
        full = Holding(KEY, UNLIMITED, UNLIMITED, UNLIMITED)
        self.assertRaises(OverQuota, full.issued, 1, True)
        self.assertRaises(Invalid, provisions, USER, PROJECT, {"r": 2**63})


class ProvisionTests(SynchronousTestCase):
    def test_both_the_member_and_the_project_are_charged(self) -> None:
        self.assertEqual(
            {
                Key(PROJECT, WHOLE_PROJECT, "a"): 1,
                Key(PROJECT, USER, "a"): 1,
                Key(PROJECT, WHOLE_PROJECT, "c"): -2,
                Key(PROJECT, USER, "c"): -2,
            },
            provisions(USER, PROJECT, {"a": 1, "b": 0, "c": -2}),
        )

    @given(*[st.integers(0, 50)] * 4)
    def test_the_effective_limit_is_never_more_than_either(
        self, limit: int, project_limit: int, usage: int, others: int
    ) -> None:
        whole = Holding(
            Key(PROJECT, WHOLE_PROJECT, "r"), project_limit, 0, usage + others
        )
        shown = Usage.of(Holding(KEY, limit, 0, usage), whole)
        self.assertLessEqual(shown.effective_limit, limit)
        self.assertLessEqual(0, shown.effective_limit)
        self.assertLessEqual(
            min(shown.effective_limit, project_limit - others), project_limit
        )

    def test_resources_have_distinct_names_and_hidden_ones_no_form(self) -> None:
        self.assertEqual(len(RESOURCES), len({one.name for one in RESOURCES}))
        for one in RESOURCES:
            self.assertTrue(one.api_visible or not one.ui_visible, one.name)
