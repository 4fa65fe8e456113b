"""The tables of a server's life, over every order of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.states import (
    ALLOWED,
    DONE,
    RESOURCES,
    STEPS,
    Effect,
    Footprint,
    State,
    Task,
    difference,
    may_begin,
    step,
    usage,
)
from snfd.errors import BuildInProgress, Busy
from snfd.ganeti.model import Event

SIZE = Footprint(2, 512, 10)
SERVER_EVENTS = sorted({event for _, event in STEPS}, key=lambda event: event.value)
EVENTS = st.lists(st.sampled_from(SERVER_EVENTS))


def walked(events: Sequence[Event]) -> list[State]:
    """Every state on the way, the first included."""
    states = [State.BUILD]
    for event in events:
        move = step(states[-1], event)
        states.append(states[-1] if move is None else move.state)
    return states


class StepTests(SynchronousTestCase):
    @given(EVENTS)
    def test_quota_is_released_once_whatever_the_order(
        self, events: Sequence[Event]
    ) -> None:
        states = walked(events)
        held = Counter(usage(State.BUILD, SIZE))
        for old, new in pairwise(states):
            for name, change in difference(old, new, SIZE).items():
                held[name] += change
            for name in RESOURCES:
                assert held[name] == usage(new, SIZE)[name] >= 0
        if Event.REMOVED in events:
            assert all(held[name] == 0 for name in RESOURCES)

    @given(EVENTS)
    def test_parts_go_once_and_nothing_follows(self, events: Sequence[Event]) -> None:
        state, gone = State.BUILD, 0
        for event in events:
            move = step(state, event)
            if move is None:
                continue
            assert state is not State.DESTROYED
            gone += Effect.PARTS_GONE in move.effects
            state = move.state
        assert gone == (Event.REMOVED in events)

    @given(EVENTS, st.sampled_from(SERVER_EVENTS))
    def test_an_event_that_comes_twice_moves_once(
        self, events: Sequence[Event], last: Event
    ) -> None:
        assert walked([*events, last])[-1] == walked([*events, last, last])[-1]

    def test_late_news_of_the_creation_do_not_start_a_stopped_server(self) -> None:
        for event in (Event.CREATED, Event.CREATE_FAILED):
            for state in (State.STOPPED, State.STARTED, State.DESTROYED):
                self.assertIsNone(step(state, event))

    def test_whatever_moves_out_of_a_build_or_error_tells_of_the_parts(self) -> None:
        for (state, event), move in STEPS.items():
            if state in (State.BUILD, State.ERROR) and move.state is not state:
                parts = {Effect.PARTS_UP, Effect.PARTS_FAILED, Effect.PARTS_GONE}
                self.assertTrue(parts & set(move.effects), (state, event))

    def test_consoles_close_where_a_server_stops_running(self) -> None:
        for (state, event), move in STEPS.items():
            if state is State.STARTED and move.state is not State.STARTED:
                self.assertIn(Effect.CLOSE_CONSOLES, move.effects, event)


class TaskTests(SynchronousTestCase):
    def test_a_build_excludes_all_but_deletion(self) -> None:
        for task in ALLOWED:
            if task is Task.DESTROY:
                may_begin(State.BUILD, Task.BUILD, task)
            else:
                with self.assertRaises(BuildInProgress):
                    may_begin(State.BUILD, Task.BUILD, task)

    def test_one_task_at_a_time(self) -> None:
        for current in (Task.START, Task.STOP, Task.DESTROY, Task.CONNECT):
            for wanted in ALLOWED:
                if wanted is Task.DESTROY:
                    may_begin(State.STOPPED, current, wanted)
                else:
                    with self.assertRaises(Busy):
                        may_begin(State.STOPPED, current, wanted)

    def test_the_state_decides(self) -> None:
        may_begin(State.STOPPED, None, Task.START)
        may_begin(State.STARTED, None, Task.STOP)
        for state, task in (
            (State.STARTED, Task.START),
            (State.STOPPED, Task.STOP),
            (State.ERROR, Task.REBOOT),
            (State.DESTROYED, Task.DESTROY),
        ):
            with self.assertRaises(Busy):
                may_begin(state, None, task)

    def test_a_task_that_succeeds_leads_where_its_commission_was_made_for(
        self,
    ) -> None:
        news = {
            Task.BUILD: Event.CREATED,
            Task.START: Event.STARTED,
            Task.STOP: Event.STOPPED,
            Task.REBOOT: Event.REBOOTED,
            Task.DESTROY: Event.REMOVED,
        }
        for task, target in DONE.items():
            for state in ALLOWED.get(task, {State.BUILD}):
                move = step(state, news[task])
                assert move is not None
                self.assertIs(target, move.state)
