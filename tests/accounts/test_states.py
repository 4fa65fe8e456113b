"""The table of account states, on values and on rows."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from itertools import product
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from snfd.accounts.states import STEPS, STORED, Event, State, state_of, step
from snfd.errors import Busy, Unauthorized
from tests.accounts.cloud import ROOT, AccountCloud
from tests.identity.cloud import identity_cloud


class TableTests(SynchronousTestCase):
    def test_a_state_is_what_its_columns_say(self) -> None:
        for state, columns in STORED.items():
            self.assertIs(state, state_of(columns))
        self.assertEqual(set(State) - {State.GONE}, set(STORED))

    def test_what_is_not_in_the_table_is_busy(self) -> None:
        for pair in product(State, Event):
            if pair not in STEPS:
                self.assertRaises(Busy, step, *pair)

    def test_who_is_not_verified_is_told_to_be_before_he_is_accepted(self) -> None:
        error = self.assertRaises(Busy, step, State.UNVERIFIED, Event.ACCEPT)
        self.assertIn("verify that first", error.message)

    def test_nothing_comes_back_from_the_end(self) -> None:
        for end in (State.CLOSED, State.GONE):
            self.assertEqual([], [pair for pair in STEPS if pair[0] is end])

    def test_only_the_accepted_get_active_and_only_once_a_project(self) -> None:
        made = [pair for pair, one in STEPS.items() if "OPEN" in repr(one.effects)]
        self.assertEqual({Event.ACCEPT}, {event for _, event in made})
        self.assertNotIn((State.ACTIVE, Event.ACCEPT), STEPS)
        self.assertNotIn((State.INACTIVE, Event.ACCEPT), STEPS)


class RowTests(SynchronousTestCase):
    """Any order of events: rows obey the table, tokens of the inactive are dead."""

    def setUp(self) -> None:
        self.cloud = identity_cloud(self)
        self.people = AccountCloud(self.cloud)
        accounts = self.people.accounts
        do = accounts.moderation
        self.acts: dict[Event, Callable[[UUID], Coroutine[Any, Any, object]]] = {
            Event.VERIFY: lambda user: do.verify(user, ROOT),
            Event.ACCEPT: lambda user: do.accept(user, ROOT),
            Event.REJECT: lambda user: do.reject(user, "no", ROOT),
            Event.ACTIVATE: lambda user: do.activate(user, ROOT),
            Event.DEACTIVATE: lambda user: do.deactivate(user, "late", ROOT),
            Event.CLOSE: lambda user: accounts.editing.close(user, ROOT),
            Event.REMOVE: lambda user: do.remove(user, ROOT),
        }
        self.number = 0

    @settings(max_examples=40, deadline=None)
    @given(some.lists(some.sampled_from(sorted(Event, key=str)), max_size=8))
    def test_every_order_of_events(self, events: list[Event]) -> None:
        self.number += 1
        name = f"user{self.number}"
        self.people.sign_up(name)
        user, state = self.people.uuid(name), State.UNVERIFIED
        tokens: list[str] = []
        for event in events:
            self.cloud.clock.advance(1)
            found = STEPS.get((state, event))
            act = self.acts[event](user)
            if found is None:
                self.cloud.fails(act, Exception)
            else:
                self.cloud.wait(act)
                state = found.state
            if state is State.GONE:
                break
            self.assertEqual(state, self.people.state(user))
            self.check(user, state, name, tokens)

    def check(self, user: object, state: State, name: str, tokens: list[str]) -> None:
        who = self.cloud.authenticator
        if state is State.ACTIVE:
            tokens.append(self.cloud.login(f"{name}@example.org").secret)
            self.cloud.wait(who(tokens[-1]))
            return
        for secret in tokens:
            self.cloud.fails(who(secret), Unauthorized)
        left = "SELECT count(*) FROM identity.api_token WHERE user_id = %s"
        self.assertEqual([(0,)], self.cloud.sql(left, user))
