"""`snfd.pool`: what it lends, to whom, and that nothing is lost."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from snfd.pool import (
    DoubleRelease,
    Hooks,
    Lease,
    Limits,
    Pool,
    PoolClosed,
    PoolFull,
    PoolTimeout,
    PoolVerifyError,
    UsedAfterRelease,
)

T = TypeVar("T")


@define(eq=False)
class Thing:
    """Something worth pooling.

    :ivar users: how many have it now; never more than one.
    """

    number: int
    sound: bool = True
    clean: bool = True
    ended: bool = False
    users: int = 0


@define(eq=False)
class Workshop:
    """Hooks that a test controls.

    :ivar slow: answers wait in ``pending`` until the test fires them.
    """

    slow: bool = False
    sound: bool = True
    error: Exception | None = None
    things: list[Thing] = field(factory=list)
    pending: list[Callable[[], None]] = field(factory=list)

    def hooks(self, *, reset: bool = True) -> Hooks[Thing]:
        """Hooks over this workshop."""
        return Hooks(
            create=self.create,
            destroy=self.destroy,
            verify=lambda thing: self.later(lambda: thing.sound),
            reset=(lambda thing: self.later(lambda: thing.clean)) if reset else None,
        )

    def create(self) -> Any:
        def make() -> Thing:
            if self.error is not None:
                raise self.error
            thing = Thing(len(self.things), sound=self.sound)
            self.things.append(thing)
            return thing

        return self.later(make)

    def destroy(self, thing: Thing) -> Any:
        def end() -> None:
            assert not thing.ended, "destroyed twice"
            thing.ended = True

        return self.later(end)

    def later(self, call: Callable[[], Any]) -> Any:
        if not self.slow:
            return call()
        answer: Deferred[Any] = Deferred()

        def fire() -> None:
            try:
                result = call()
            except Exception:
                answer.errback(Failure())
            else:
                answer.callback(result)

        self.pending.append(fire)
        return answer

    def alive(self) -> list[Thing]:
        return [thing for thing in self.things if not thing.ended]

    def fire_all(self) -> None:
        while self.pending:
            self.pending.pop(0)()


class PoolTests(SynchronousTestCase):
    """The contract, point by point."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.shop = Workshop()

    def pool(self, size: int = 2, *, reset: bool = True, **limits: Any) -> Pool[Thing]:
        hooks = self.shop.hooks(reset=reset)
        return Pool(self.clock, hooks, Limits(size, **limits))

    def lease(self, pool: Pool[Thing]) -> Lease[Thing]:
        return self.successResultOf(pool.acquire())

    def test_a_thing_is_lent_again(self) -> None:
        pool = self.pool()
        lease = self.lease(pool)
        first = lease.thing
        lease.release()
        self.assertIs(first, self.lease(pool).thing)

    def test_no_more_than_size_and_first_come_first_served(self) -> None:
        pool = self.pool(2)
        one, _two = self.lease(pool), self.lease(pool)
        third, fourth = pool.acquire(), pool.acquire()
        self.assertNoResult(third)
        one.release()
        self.successResultOf(third).discard("test")
        self.successResultOf(fourth)
        self.assertEqual(3, len(self.shop.things))

    def test_waiting_ends_in_time(self) -> None:
        pool = self.pool(1)
        kept = self.lease(pool)
        late = pool.acquire(timeout=5)
        self.clock.advance(4.9)
        self.assertNoResult(late)
        self.clock.advance(0.2)
        self.failureResultOf(late, PoolTimeout)
        kept.release()
        self.assertEqual((1, 1, 0), self._figures(pool))
        self.assertEqual(1, pool.snapshot().timeouts)

    def _figures(self, pool: Pool[Thing]) -> tuple[int, int, int]:
        now = pool.snapshot()
        return now.created, now.idle, now.busy

    def test_what_was_made_for_one_who_left_goes_to_the_next(self) -> None:
        pool = self.pool(1)
        self.shop.slow = True
        gone, waits = pool.acquire(), pool.acquire()
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        self.shop.fire_all()
        self.assertEqual(0, self.successResultOf(waits).thing.number)
        self.assertEqual(1, len(self.shop.things))

    def test_what_was_made_for_one_who_left_is_kept(self) -> None:
        pool = self.pool(1)
        self.shop.slow = True
        gone = pool.acquire()
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        self.shop.fire_all()
        self.assertEqual((1, 1, 0), self._figures(pool))

    def test_what_comes_back_overtakes_what_is_being_made(self) -> None:
        pool = self.pool(2)
        lease = self.lease(pool)
        self.shop.slow = True
        waits = pool.acquire()
        self.shop.slow = False
        lease.release()
        self.assertEqual(0, self.successResultOf(waits).thing.number)

    def test_a_failed_making_fails_one_and_the_next_is_tried(self) -> None:
        pool = self.pool(1)
        self.shop.slow = True
        first, second = pool.acquire(), pool.acquire()
        self.shop.error = OSError("no")
        self.shop.pending.pop(0)()
        self.failureResultOf(first, OSError)
        self.shop.error = None
        self.shop.fire_all()
        self.successResultOf(second)
        self.assertEqual(1, pool.snapshot().failed)

    def test_a_new_thing_that_is_no_good_is_an_error_and_no_loop(self) -> None:
        pool = self.pool()
        self.shop.sound = False
        self.failureResultOf(pool.acquire(), PoolVerifyError)
        self.assertEqual(1, len(self.shop.things))
        self.assertEqual([], self.shop.alive())

    def test_dead_idle_things_are_replaced(self) -> None:
        pool = self.pool(3)
        for lease in [self.lease(pool) for _ in range(3)]:
            lease.thing.sound = False
            lease.release()
        self.assertEqual(3, self.lease(pool).thing.number)
        self.assertEqual(3, pool.snapshot().destroyed)

    def test_a_check_that_fails_means_dead(self) -> None:
        def broken(thing: Thing) -> bool:
            if thing.number == 0 and thing.users:
                raise ValueError("cannot tell")
            return True

        shop = self.shop
        pool = Pool(self.clock, Hooks(shop.create, shop.destroy, broken), Limits(1))
        lease = self.lease(pool)
        lease.thing.users = 1
        lease.release()
        self.assertEqual(1, self.lease(pool).thing.number)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_releasing_twice_is_an_error_and_changes_nothing(self) -> None:
        pool = self.pool(1)
        lease = self.lease(pool)
        lease.release()
        with self.assertRaises(DoubleRelease):
            lease.release()
        with self.assertRaises(DoubleRelease):
            lease.discard("again")
        self.assertEqual((1, 1, 0), self._figures(pool))

    def test_the_thing_of_an_ended_lease_is_out_of_reach(self) -> None:
        lease = self.lease(self.pool())
        lease.release()
        with self.assertRaises(UsedAfterRelease):
            _ = lease.thing

    def test_debug_revokes_what_was_kept(self) -> None:
        pool = Pool(self.clock, self.shop.hooks(), Limits(1), debug=True)

        async def keep(thing: Thing) -> Thing:
            self.assertEqual(0, thing.number)
            thing.users = 3
            return thing

        kept = self.successResultOf(pool.use(keep))
        self.assertEqual(3, self.shop.things[0].users)
        with self.assertRaises(UsedAfterRelease):
            _ = kept.number
        with self.assertRaises(UsedAfterRelease):
            kept.number = 1

    def test_an_unclean_thing_is_not_lent_again(self) -> None:
        pool = self.pool()
        lease = self.lease(pool)
        lease.thing.clean = False
        lease.release()
        self.assertEqual([], self.shop.alive())

    def test_a_failed_use_keeps_only_what_is_clean(self) -> None:
        async def fail(thing: Thing) -> None:
            thing.clean = outcome.pop()
            raise KeyError("test")

        for reset, clean, survivors in (
            (True, True, 1),
            (True, False, 0),
            (False, True, 0),
        ):
            self.shop = Workshop()
            pool = self.pool(reset=reset)
            outcome = [clean]
            self.failureResultOf(pool.use(fail), KeyError)
            self.assertEqual(survivors, len(self.shop.alive()))
            self.assertEqual(0, pool.snapshot().busy)

    def test_use_gives_the_result_and_the_thing_back(self) -> None:
        async def number(thing: Thing) -> int:
            return thing.number

        pool = self.pool(1)
        self.assertEqual(0, self.successResultOf(pool.use(number)))
        self.assertEqual(0, self.successResultOf(pool.use(number)))

    def test_a_use_waits_behind_those_who_wait(self) -> None:
        async def number(thing: Thing) -> int:
            return thing.number

        pool = self.pool(1)
        lease, first = self.lease(pool), pool.acquire()
        second = pool.use(number)
        lease.release()
        self.assertNoResult(second)
        self.successResultOf(first).release()
        self.assertEqual(0, self.successResultOf(second))

    def test_a_use_of_what_must_be_looked_at_takes_it_once_it_is_sound(self) -> None:
        async def number(thing: Thing) -> int:
            return thing.number

        pool = self.pool(2)
        self.lease(pool).release()
        self.shop.slow, self.shop.things[0].sound = True, False
        answer = pool.use(number)
        self.assertNoResult(answer)
        self.shop.fire_all()
        self.assertEqual(1, self.successResultOf(answer))
        self.assertEqual((1, 1), (pool.snapshot().idle, pool.snapshot().destroyed))

    def test_a_dropped_lease_is_told_and_its_place_recovered(self) -> None:
        pool = self.pool(1)
        self.successResultOf(pool.acquire())
        gc.collect()
        waits = pool.acquire()
        self.assertNoResult(waits)
        self.clock.advance(0)
        self.assertEqual(1, self.successResultOf(waits).thing.number)
        self.assertEqual(1, pool.snapshot().leaked)
        self.assertTrue(self.shop.things[0].ended)

    def test_a_lease_dropped_in_a_thread_is_handled_in_the_reactor_s(self) -> None:
        calls: list[Callable[[], None]] = []
        hooks = self.shop.hooks()
        pool = Pool(self.clock, hooks, Limits(1), call_soon=calls.append)
        holder = [self.lease(pool)]
        thread = threading.Thread(target=holder.clear)
        thread.start()
        thread.join()
        self.assertEqual(0, pool.snapshot().leaked)
        calls.pop()()
        self.assertEqual((1, 0), (pool.snapshot().leaked, pool.snapshot().busy))

    def test_old_and_worn_things_go(self) -> None:
        pool = self.pool(1, max_age=60, max_uses=2)
        numbers = []
        for _ in range(3):
            lease = self.lease(pool)
            numbers.append(lease.thing.number)
            lease.release()
        self.assertEqual([0, 0, 1], numbers)
        self.clock.advance(60)
        self.assertEqual(2, self.lease(pool).thing.number)

    def test_idle_things_go_but_for_a_few(self) -> None:
        pool = self.pool(3, idle_ttl=30, min_idle=1)
        for lease in [self.lease(pool) for _ in range(3)]:
            lease.release()
        self.clock.advance(29)
        self.assertEqual(3, len(self.shop.alive()))
        self.clock.advance(2)
        self.assertEqual(1, len(self.shop.alive()))
        self.successResultOf(pool.close())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_warm_up_makes_the_least_number(self) -> None:
        pool = self.pool(3, min_idle=2)
        self.successResultOf(Deferred.fromCoroutine(pool.warm_up()))
        self.assertEqual((2, 2, 0), self._figures(pool))

    def test_the_queue_has_a_bound(self) -> None:
        pool = self.pool(1, max_waiting=1)
        _lease = self.lease(pool)
        waits = pool.acquire()
        self.failureResultOf(pool.acquire(), PoolFull)
        self.assertNoResult(waits)
        waits.cancel()
        self.failureResultOf(waits, CancelledError)

    def test_closing_turns_away_waits_and_destroys(self) -> None:
        pool = self.pool(1)
        lease, waits = self.lease(pool), pool.acquire()
        closed = pool.close()
        self.failureResultOf(waits, PoolClosed)
        self.failureResultOf(pool.acquire(), PoolClosed)
        self.assertNoResult(closed)
        lease.release()
        self.successResultOf(closed)
        self.assertEqual([], self.shop.alive())
        self.successResultOf(pool.close())

    def test_draining_serves_those_who_wait(self) -> None:
        pool = self.pool(1)
        lease, waits = self.lease(pool), pool.acquire()
        drained = pool.drain()
        self.failureResultOf(pool.acquire(), PoolClosed)
        lease.release()
        second = self.successResultOf(waits)
        self.assertNoResult(drained)
        second.release()
        self.successResultOf(drained)
        self.assertEqual([], self.shop.alive())

    def test_closing_waits_for_what_is_being_made_and_destroyed(self) -> None:
        pool = self.pool(1)
        self.shop.slow = True
        waits = pool.acquire()
        closed = pool.close()
        self.failureResultOf(waits, PoolClosed)
        self.assertNoResult(closed)
        self.shop.fire_all()
        self.successResultOf(closed)
        self.assertEqual([], self.shop.alive())

    def test_a_destroyer_that_fails_is_logged_and_blocks_nobody(self) -> None:
        def broken(_: Thing) -> None:
            raise OSError("stuck")

        pool = Pool(self.clock, Hooks(self.shop.create, broken), Limits(1))
        self.lease(pool).discard("test")
        self.lease(pool).release()
        self.assertEqual(1, len(self.flushLoggedErrors(OSError)))

    def test_what_is_away_is_no_bug_where_nobody_waits_any_more(self) -> None:
        pool = self.pool(1)
        self.shop.slow, self.shop.error = True, OSError("away")
        waits = pool.acquire(timeout=5)
        self.clock.advance(5)
        self.failureResultOf(waits, PoolTimeout)
        self.shop.fire_all()
        self.assertEqual([], self.flushLoggedErrors())
        self.assertEqual(0, pool.snapshot().busy)

    def test_waits_are_counted(self) -> None:
        pool = self.pool(1)
        lease, waits = self.lease(pool), pool.acquire()
        self.clock.advance(0.2)
        lease.release()
        self.successResultOf(waits).release()
        now = pool.snapshot()
        self.assertEqual((1, 0, 0, 0, 1, 0, 0, 0), now.waits)
        self.assertAlmostEqual(0.2, now.wait_total)

    def test_limits_that_make_no_sense_are_refused(self) -> None:
        for size, least in ((0, 0), (1, 2), (1, -1)):
            with self.assertRaises(ValueError):
                Limits(size, min_idle=least)


class PoolMachine(RuleBasedStateMachine):
    """Any order of events: never more than size out, nothing lost or leaked."""

    SIZE = 3

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.shop = Workshop(slow=True)
        limits = Limits(self.SIZE, max_uses=4, idle_ttl=20, min_idle=1)
        self.pool = Pool(self.clock, self.shop.hooks(), limits)
        self.queue: list[Deferred[Any]] = []
        self.leases: list[Lease[Thing]] = []
        self.closed: Deferred[None] | None = None

    def _served(self, result: Any, answer: Deferred[Any]) -> None:
        index = self.queue.index(answer)
        self.queue.remove(answer)
        if isinstance(result, Lease):
            assert index == 0, "overtaken"
            assert result.thing.sound and not result.thing.ended
            assert result.thing.users == 0, "lent to two"
            result.thing.users = 1
            self.leases.append(result)
        else:
            kinds = (OSError, PoolTimeout, PoolVerifyError, PoolClosed, CancelledError)
            assert result.check(*kinds), result

    def _one_of(self, data: st.DataObject, some: Sequence[T]) -> T:
        # a strategy would keep what it was given, and so leases from being dropped
        return some[data.draw(st.integers(min_value=0, max_value=len(some) - 1))]

    @precondition(lambda self: self.closed is None)
    @rule(timeout=st.sampled_from([None, 1.0, 5.0]))
    def acquire(self, timeout: float | None) -> None:
        answer = self.pool.acquire(timeout)
        self.queue.append(answer)
        answer.addBoth(self._served, answer)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self._one_of(data, self.queue).cancel()

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), sound=st.booleans(), clean=st.booleans())
    def give_back(self, data: st.DataObject, *, sound: bool, clean: bool) -> None:
        lease = self._one_of(data, self.leases)
        self.leases.remove(lease)
        thing = lease.thing
        thing.users, thing.sound, thing.clean = 0, sound, clean
        lease.release()

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        lease = self._one_of(data, self.leases)
        self.leases.remove(lease)
        lease.discard("test")

    @precondition(lambda self: self.leases)
    @rule()
    def drop(self) -> None:
        self.leases.pop(0)

    @precondition(lambda self: self.shop.pending)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        call = self._one_of(data, self.shop.pending)
        self.shop.pending.remove(call)
        call()

    @rule(fails=st.booleans(), sound=st.booleans())
    def change_luck(self, *, fails: bool, sound: bool) -> None:
        self.shop.error = OSError("no") if fails else None
        self.shop.sound = sound

    @rule(seconds=st.sampled_from([0.0, 0.5, 3.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.closed is None)
    @rule(at_once=st.booleans(), luck=st.integers(min_value=0, max_value=9))
    def close(self, *, at_once: bool, luck: int) -> None:
        if luck == 0:
            self.closed = self.pool.close() if at_once else self.pool.drain()

    @invariant()
    def never_more_than_size_out(self) -> None:
        now = self.pool.snapshot()
        assert len(self.leases) <= now.leased <= now.busy <= self.SIZE
        assert now.busy + now.idle <= self.SIZE
        assert now.waiting == len(self.queue)

    def teardown(self) -> None:
        """However it went: all is given back, served, and destroyed."""
        self.shop.error, self.shop.sound = None, True
        for _ in range(1000):
            if not (self.leases or self.shop.pending or self.queue):
                break
            self.shop.fire_all()
            self.clock.advance(0)
            while self.leases:
                lease = self.leases.pop()
                lease.thing.users = 0
                lease.release()
        assert not self.queue, "somebody waits for ever"
        closed = self.closed or self.pool.close()
        self.shop.fire_all()
        self.clock.advance(0)
        self.shop.fire_all()
        assert closed.called, "closing never ends"
        now = self.pool.snapshot()
        assert (now.busy, now.idle, now.waiting) == (0, 0, 0)
        assert self.shop.alive() == [], "not destroyed"
        assert now.created == now.destroyed == len(self.shop.things)
        assert not self.clock.getDelayedCalls(), "timers left"


class PoolInvariantTests(SynchronousTestCase):
    """Runs `PoolMachine`."""

    def test_never_more_than_size_out_never_lost_never_leaked(self) -> None:
        run_state_machine_as_test(
            PoolMachine,
            settings=settings(
                max_examples=150, stateful_step_count=40, deadline=None, database=None
            ),
        )
        self.flushLoggedErrors(OSError, PoolVerifyError)
