"""The tables and the rules of projects."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.audit import DAEMON, Actor
from snfd.errors import Busy, Conflict, Forbidden, Invalid
from snfd.projects.changes import (
    NEW,
    Changes,
    changes,
    checked,
)
from snfd.projects.rules import (
    Action,
    Case,
    Terms,
    Who,
    allowed,
    enrolling,
    joining,
    outcome,
)
from snfd.projects.states import (
    APPLICATION_STEPS,
    ASSOCIATED,
    COUNTED,
    GRANTED,
    LEFT,
    MEMBERSHIP_STEPS,
    PROJECT_STEPS,
    ApplicationEvent,
    ApplicationState,
    MembershipEvent,
    MembershipState,
    ProjectEvent,
    ProjectState,
    step,
)
from snfd.quota.model import UNLIMITED, Limit
from tests.identity.cloud import START

OWNER, PERSON, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
POLICIES = st.sampled_from(("auto", "moderated", "closed"))


def who(user: UUID | None, *, admin: bool = False) -> Who:
    return Who(Actor(user, "x"), user, admin)


PEOPLE = (who(OWNER), who(PERSON), who(OTHER), who(None, admin=True))

CASES = st.builds(
    Case,
    user=st.sampled_from((OWNER, PERSON)),
    state=st.sampled_from(MembershipState),
    active=st.booleans(),
    terms=st.builds(
        Terms,
        state=st.sampled_from(ProjectState),
        owner=st.just(OWNER),
        is_system=st.booleans(),
        join_policy=POLICIES,
        leave_policy=POLICIES,
        max_members=st.integers(0, 3),
        members=st.integers(0, 3),
    ),
)


class TableTests(SynchronousTestCase):
    def test_what_ended_stays_so(self) -> None:
        open_ones = {ApplicationState.PENDING, ApplicationState.DENIED}
        for state in set(ApplicationState) - open_ones:
            for event in ApplicationEvent:
                with self.assertRaises(Busy):
                    step(APPLICATION_STEPS, state, event, "application")
        for happening in ProjectEvent:
            with self.assertRaises(Busy):
                step(PROJECT_STEPS, ProjectState.DELETED, happening, "project")

    def test_every_state_but_none_can_be_reached(self) -> None:
        self.assertEqual(
            set(ProjectState) - {ProjectState.UNINITIALIZED},
            set(PROJECT_STEPS.values()),
        )
        self.assertEqual(
            set(MembershipState) - {MembershipState.NONE},
            set(MEMBERSHIP_STEPS.values()),
        )

    def test_the_sets_divide_all_states(self) -> None:
        self.assertEqual(set(MembershipState), ASSOCIATED | LEFT)
        self.assertEqual(set(), ASSOCIATED & LEFT)
        self.assertTrue(GRANTED < COUNTED < ASSOCIATED)

    def test_a_refusal_says_what_stands_in_the_way(self) -> None:
        with self.assertRaises(Busy) as caught:
            step(
                MEMBERSHIP_STEPS,
                MembershipState.LEAVE_REQUESTED,
                MembershipEvent.JOIN,
                "membership",
            )
        self.assertEqual(
            "the membership is leave requested: it cannot be requested",
            caught.exception.message,
        )


class RuleTests(SynchronousTestCase):
    @given(CASES)
    def test_allowed_is_exactly_what_succeeds(self, case: Case) -> None:
        for one in PEOPLE:
            for action in Action:
                try:
                    outcome(action, one, case)
                    done = True
                except (Forbidden, Conflict):
                    done = False
                self.assertEqual(done, action in allowed(one, case))

    @given(CASES)
    def test_strangers_may_nothing(self, case: Case) -> None:
        self.assertEqual((), allowed(who(OTHER), case))
        with self.assertRaises(Forbidden):
            enrolling(who(OTHER), case)

    @given(CASES)
    def test_nobody_gets_a_share_beyond_the_places(self, case: Case) -> None:
        """Whoever comes to be granted something had a place, or finds one."""
        for one in PEOPLE:
            for action in allowed(one, case):
                after = MEMBERSHIP_STEPS[case.state, outcome(action, one, case)]
                fits = case.terms.has_room or case.state in COUNTED
                self.assertTrue(after not in GRANTED or fits)
                if case.state is MembershipState.SUSPENDED and after in GRANTED:
                    self.assertIs(Action.UNSUSPEND, action)
                    self.assertTrue(one.is_admin)

    @given(CASES)
    def test_a_persons_own_project_is_his_alone(self, case: Case) -> None:
        if not case.terms.is_system:
            return
        with self.assertRaises(Conflict):
            joining(case)
        with self.assertRaises(Conflict):
            enrolling(who(None, admin=True), case)
        for one in PEOPLE:
            left = set(allowed(one, case)) - {Action.SUSPEND, Action.UNSUSPEND}
            self.assertEqual(set(), left)

    def test_closed_doors_open_to_the_owner(self) -> None:
        """W16."""
        terms = Terms(
            ProjectState.ACTIVE, OWNER, False, "closed", "closed", UNLIMITED, 5
        )
        fresh = Case(PERSON, MembershipState.NONE, True, terms)
        with self.assertRaises(Conflict):
            joining(fresh)
        self.assertIs(MembershipEvent.ENROLL, enrolling(who(OWNER), fresh))
        inside = Case(PERSON, MembershipState.ACCEPTED, True, terms)
        self.assertEqual((), allowed(who(PERSON), inside))
        self.assertEqual((Action.REMOVE,), allowed(who(OWNER), inside))


class ChangesTests(SynchronousTestCase):
    @given(
        st.builds(
            Changes,
            name=st.none() | st.text(max_size=9),
            owner=st.none() | st.uuids(),
            ends=st.none() | st.datetimes(timezones=st.just(UTC)),
            private=st.none() | st.booleans(),
            max_members=st.none() | st.integers(0, UNLIMITED),
            resources=st.dictionaries(
                st.text(max_size=5), st.builds(Limit, st.integers(), st.integers())
            ),
        )
    )
    def test_what_is_stored_is_what_was_asked(self, wanted: Changes) -> None:
        self.assertEqual(wanted, changes(wanted.stored()))
        self.assertEqual(wanted, wanted.over(Changes()))
        self.assertEqual(wanted, Changes().over(wanted))

    def test_later_changes_win(self) -> None:
        older = Changes(name="a", resources={"x": Limit(1, 1), "y": Limit(1, 1)})
        newer = Changes(name="b", resources={"x": Limit(2, 2)})
        both = newer.over(older)
        self.assertEqual("b", both.name)
        self.assertEqual({"x": Limit(2, 2), "y": Limit(1, 1)}, both.resources)
        self.assertTrue(Changes().empty)
        self.assertFalse(NEW.empty)

    def test_the_daemon_is_nobody_in_particular(self) -> None:
        self.assertFalse(Who.admin(DAEMON).owns(None))
        with self.assertRaises(Invalid):
            checked(Changes(name="system:x"), START, free_name=True)
        checked(Changes(name="free name"), START, free_name=True)
