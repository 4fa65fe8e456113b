"""Applications × projects × memberships in any order, on real SQL.

After each step the limits are what ``spec/astakos.md`` §3.6 says, computed
here once more, and nobody uses what he does not hold.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.opening import create_user
from snfd.audit import DAEMON
from snfd.clock import now
from snfd.errors import CloudError
from snfd.identity.model import Caller
from snfd.projects import lifecycle
from snfd.projects.acting import Order
from snfd.projects.changes import Changes, Wording
from snfd.projects.rules import Action
from snfd.projects.states import MEMBERSHIP_STEPS, PROJECT_STEPS
from snfd.quota import service as quota
from snfd.quota.model import Limit
from tests.identity.cloud import START, identity_cloud
from tests.projects.cloud import END, VM, caller

PEOPLE = st.integers(0, 3)
PICK = st.integers(0, 3)
LIMITS = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(
    lambda pair: Limit(max(pair), min(pair))
)
WORDS = ("suspend", "unsuspend", "terminate", "reinstate")
DECISIONS = ("approve", "approve", "approve", "deny", "cancel", "dismiss")
GRANTED = ("accepted", "leave_requested")


class LifeMachine(RuleBasedStateMachine):
    """Four people, the last of them an administrator, and what they do.

    Every life has a cloud of its own: the invariants look at all that there is.
    """

    case: ClassVar[SynchronousTestCase]

    def __init__(self) -> None:
        super().__init__()
        self.cloud = identity_cloud(self.case)
        self.people = [uuid4() for _ in range(4)]
        self.projects: list[UUID] = []
        self.applications: list[tuple[UUID, int]] = []
        for user in self.people:
            run = self.cloud.db.run
            self.cloud.wait(run(create_user, user, f"{user}@x", now(self.cloud.clock)))
        self.parts = self.cloud.project_parts
        self.apply(0, 9, Limit(3, 2), 3, "auto", "auto")
        self.decide(3, 0, "approve", False)

    def who(self, number: int) -> Caller:
        return caller(self.people[number], admin=number == 3)

    def attempt(self, awaitable: Awaitable[object]) -> object:
        """What it gives, or None where it is refused in proper words."""

        async def whole() -> object:
            try:
                return await awaitable
            except CloudError:
                return None

        return self.cloud.wait(whole())

    def project(self, number: int) -> UUID:
        known = [*self.people[:1], *self.projects][::-1]
        return known[number % len(known)]

    def note(self, done: object) -> None:
        number = getattr(done, "application", None)
        if number is not None:
            project: UUID = done.project  # type: ignore[attr-defined]
            self.applications.append((project, number))

    @rule(
        who=PEOPLE, name=st.integers(0, 2), limit=LIMITS, most=st.integers(0, 3),
        join=st.sampled_from(("auto", "moderated")),
        leave=st.sampled_from(("auto", "moderated", "closed")),
    )  # fmt: skip
    def apply(
        self, who: int, name: int, limit: Limit, most: int, join: str, leave: str
    ) -> None:
        wanted = Changes(
            name=f"p{name}.{self.people[0].hex}.org",
            ends=END,
            resources={VM: limit},
            join_policy=join,
            leave_policy=leave,
            max_members=most,
        )
        done = self.attempt(self.parts.desk.submit(self.who(who), wanted, Wording()))
        if done is not None:
            self.projects.append(done.project)  # type: ignore[attr-defined]
            self.note(done)

    @rule(
        who=PEOPLE, pick=PICK, limit=LIMITS, at_once=st.booleans(),
        owner=st.none() | PEOPLE,
    )  # fmt: skip
    def modify(
        self, who: int, pick: int, limit: Limit, at_once: bool, owner: int | None
    ) -> None:
        wanted = Changes(
            resources={VM: limit}, owner=None if owner is None else self.people[owner]
        )
        asked = self.parts.desk.modify(
            self.who(who), self.project(pick), wanted, Wording(), at_once=at_once
        )
        self.note(self.attempt(asked))

    @rule(who=PEOPLE, back=PICK, word=st.sampled_from(DECISIONS), again=st.booleans())
    def decide(self, who: int, back: int, word: str, again: bool) -> None:
        if self.applications:
            recent = self.applications[::-1]
            project, number = recent[back % len(recent)]
            order = Order(word, "", number, again)
            self.attempt(self.parts.desk.act(self.who(who), project, order))

    @rule(pick=PICK, word=st.sampled_from(WORDS))
    def change_state(self, pick: int, word: str) -> None:
        order = Order(word)
        self.attempt(self.parts.desk.act(self.who(3), self.project(pick), order))

    @rule(who=PEOPLE, pick=PICK)
    def join(self, who: int, pick: int) -> None:
        asked = self.parts.memberships.join(self.who(who), self.project(pick))
        self.attempt(asked)

    @rule(who=PEOPLE, pick=PICK, whom=PEOPLE)
    def enroll(self, who: int, pick: int, whom: int) -> None:
        desk = self.parts.memberships
        mail = f"{self.people[whom]}@x"
        self.attempt(desk.enroll(self.who(who), self.project(pick), mail))

    @rule(who=PEOPLE, pick=PICK, action=st.sampled_from(Action))
    def act(self, who: int, pick: int, action: Action) -> None:
        rows = self.cloud.sql(
            "SELECT id FROM identity.membership WHERE user_id IN (%s, %s, %s, %s)"
            " AND project_id <> user_id ORDER BY id DESC",
            *self.people,
        )
        number = rows[pick % len(rows)][0] if rows else 0
        assert isinstance(number, int)
        self.attempt(self.parts.memberships.act(self.who(who), number, action, ""))

    @rule(who=PEOPLE, pick=PICK, amount=st.integers(-2, 2))
    def use(self, who: int, pick: int, amount: int) -> None:
        run = self.cloud.db.run
        user = self.people[who]
        self.attempt(run(quota.charge, user, self.project(pick), {VM: amount}))

    @rule(who=st.integers(0, 2), back=st.booleans())
    def deactivate(self, who: int, back: bool) -> None:
        run = self.cloud.db.run
        what = lifecycle.unsuspend_of_user if back else lifecycle.suspend_of_user
        self.attempt(run(what, self.people[who], DAEMON, START))

    @invariant()
    def limits_are_what_the_formula_says(self) -> None:
        rows = self.cloud.sql(
            """
            SELECT p.state, m.state, m.initialized, l.project_cap, l.member_cap,
                   h.cap, h.user_id IS NULL
              FROM quota.holding h
              JOIN identity.project p ON p.uuid = h.project_id
              LEFT JOIN quota.project_limit l
                ON l.project_id = h.project_id AND l.resource = h.resource
              LEFT JOIN identity.membership m
                ON m.project_id = h.project_id AND m.user_id = h.user_id
            """
        )
        for state, member, initialized, whole, each, cap, is_whole in rows:
            assert state not in ("uninitialized", "deleted")
            if is_whole:
                assert cap == (whole if state == "active" else 0)
            else:
                granted = state == "active" and member in GRANTED
                assert initialized and cap == (each if granted else 0)

    @invariant()
    def all_holdings_are_there(self) -> None:
        missing = self.cloud.sql(
            """
            SELECT count(*) FROM quota.project_limit l
              JOIN (SELECT project_id, user_id FROM identity.membership
                     WHERE initialized
                    UNION ALL SELECT uuid, NULL FROM identity.project) AS k
                ON k.project_id = l.project_id
              LEFT JOIN quota.holding h
                ON h.project_id = l.project_id AND h.resource = l.resource
               AND h.user_id IS NOT DISTINCT FROM k.user_id
             WHERE h.project_id IS NULL
            """
        )
        assert missing == [(0,)]

    @invariant()
    def applications_are_counted(self) -> None:
        wrong = self.cloud.sql(
            """
            SELECT h.user_id FROM quota.holding h
             WHERE h.resource = 'astakos.pending_app' AND h.user_id = h.project_id
               AND (h.usage_max, h.usage_min) <> (SELECT count(*), count(*)
                    FROM identity.application a
                   WHERE a.applicant = h.user_id AND a.state = 'pending')
            """
        )
        assert wrong == []

    @invariant()
    def members_use_together_what_their_project_does(self) -> None:
        wrong = self.cloud.sql(
            """
            SELECT project_id, resource FROM quota.holding
             GROUP BY project_id, resource
            HAVING sum(usage_max) FILTER (WHERE user_id IS NULL)
                <> coalesce(sum(usage_max) FILTER (WHERE user_id IS NOT NULL), 0)
            """
        )
        assert wrong == []

    @invariant()
    def logs_tell_whole_lives(self) -> None:
        for table, key, steps in (
            ("project", "project_id", PROJECT_STEPS),
            ("membership", "membership_id", MEMBERSHIP_STEPS),
        ):
            known = {(str(before), str(after)) for (before, _), after in steps.items()}
            rows = self.cloud.sql(
                f"SELECT l.{key}, l.from_state, l.to_state FROM identity.{table}_log l"
                " ORDER BY l.id"
            )
            last: dict[object, object] = {}
            for ident, before, after in rows:
                assert last.get(ident) == before
                assert before is None or (before, after) in known
                last[ident] = after
            column = "uuid" if table == "project" else "id"
            states = self.cloud.sql(f"SELECT {column}, state FROM identity.{table}")
            assert last == {row[0]: row[1] for row in states}


class MachineTests(SynchronousTestCase):
    def test_any_order_keeps_quotas_and_states_together(self) -> None:
        class Machine(LifeMachine):
            case = self

        few = settings(
            max_examples=10,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(Machine, settings=few)
