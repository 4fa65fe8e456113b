"""The tables of a server's life, over every order of events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from snfd.compute.effects import EFFECTS
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


ALIVE = (State.BUILD, State.ERROR, State.STOPPED, State.STARTED)
E = Event
LEADS: Mapping[Event, str] = {
    # from BUILD, ERROR, STOPPED, STARTED; "-" where it means nothing
    E.CREATED: "STARTED STARTED - -",
    E.CREATE_FAILED: "ERROR - - -",
    E.REMOVED: "DESTROYED DESTROYED DESTROYED DESTROYED",
    E.REMOVE_FAILED: "BUILD ERROR STOPPED STARTED",
    E.STARTED: "STARTED STARTED STARTED STARTED",
    E.START_FAILED: "BUILD ERROR STOPPED STARTED",
    E.STOPPED: "STOPPED STOPPED STOPPED STOPPED",
    E.CRASHED: "- - - STARTED",
    E.STOP_FAILED: "BUILD ERROR STOPPED STARTED",
    E.REBOOTED: "- STARTED STARTED STARTED",
    E.REBOOT_FAILED: "BUILD ERROR STOPPED STARTED",
    E.MODIFIED: "- - STOPPED STARTED",
    E.MODIFY_FAILED: "- - STOPPED STARTED",
    E.REINSTALLED: "- - STARTED STARTED",
    E.REINSTALLED_DOWN: "- - STOPPED STOPPED",
    E.REINSTALL_FAILED: "- - STOPPED STARTED",
    E.REINSTALL_FAILED_DOWN: "- - STOPPED STOPPED",
    E.TAGGED: "- - - -",
    E.TAG_FAILED: "- - - -",
    E.UNTAGGED: "- - - -",
    E.UNTAG_FAILED: "- - - -",
}


class TableTests(SynchronousTestCase):
    def test_every_pair_leads_where_it_should(self) -> None:
        for event in Event:
            if event.name.startswith("NETWORK"):
                continue
            for state, wanted in zip(ALIVE, LEADS[event].split(), strict=True):
                move = step(state, event)
                found = "-" if move is None else move.state.value
                self.assertEqual(wanted, found, (state, event))
            self.assertIsNone(step(State.DESTROYED, event), event)

    def test_networks_have_another_table(self) -> None:
        for state, event in STEPS:
            self.assertFalse(event.name.startswith("NETWORK"), (state, event))

    def test_what_fails_tells_the_owner_why(self) -> None:
        for (state, event), move in STEPS.items():
            if "FAILED" in event.name:
                self.assertIn(Effect.DIAGNOSE, move.effects, (state, event))

    def test_every_effect_happens(self) -> None:
        self.assertEqual(set(Effect), set(EFFECTS))
        used = {effect for move in STEPS.values() for effect in move.effects}
        self.assertEqual(set(Effect), used)


PAIRS = [(state, task) for state in State for task in Task]


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

    def test_every_task_begins_where_it_should_and_nowhere_else(self) -> None:
        for state, wanted in PAIRS:
            for current in (None, *Task):
                try:
                    may_begin(state, current, wanted)
                except Busy:
                    begins = False
                else:
                    begins = True
                self.assertIs(begins, self.may(state, current, wanted), (
                    state, current, wanted))  # fmt: skip

    def may(self, state: State, current: Task | None, wanted: Task) -> bool:
        if state is State.DESTROYED or wanted is Task.BUILD:
            return False
        if wanted is Task.DESTROY:
            return True
        if current is not None or state in (State.BUILD, State.ERROR):
            return False
        narrow = {Task.START: State.STOPPED, Task.STOP: State.STARTED}
        return state is narrow.get(wanted, state)

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
