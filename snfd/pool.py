"""The one pool of reusable things: lends, verifies, cleans and replaces them.

It does no I/O of its own: what a thing is, four hooks know. All of it belongs
to the reactor's thread. Its terms are in `snfd.lending`.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from snfd.deadlines import Deadline, Deadlines
from snfd.errors import CloudError
from snfd.lending import (
    WAIT_BUCKETS,
    Counts,
    DoubleRelease,
    Hooks,
    Item,
    Lease,
    Limits,
    PoolClosed,
    PoolFull,
    PoolTimeout,
    PoolVerifyError,
    Snapshot,
    Stack,
    UsedAfterRelease,
    stack_here,
    stack_text,
)
from snfd.stock import Stock

__all__ = [
    "DoubleRelease", "Hooks", "Lease", "Limits", "Pool", "PoolClosed", "PoolFull",
    "PoolTimeout", "PoolVerifyError", "Snapshot", "UsedAfterRelease",
]  # fmt: skip

T = TypeVar("T")
U = TypeVar("U")


@define(eq=False)
class _Waiter(Generic[T]):
    """Somebody in the queue."""

    answer: Deferred[Lease[T]]
    since: float
    stack: Stack
    limit: Deadline | None = None


@define(eq=False)
class Pool(Generic[T]):
    """Lends at most ``limits.size`` things at once, first come, first served.

    :param call_soon: runs a callable soon in the reactor's thread and may be
        called from any thread (``reactor.callFromThread``); by default the
        clock does it, which is right where no other thread drops leases.
    :param debug: what `use` lends is revoked when its lease ends.
    """

    _clock: IReactorTime
    _hooks: Hooks[T]
    _limits: Limits
    _call_soon: Callable[[Callable[[], None]], object] | None = None
    _debug: bool = False
    _stock: Stock[T] = field(init=False)
    _deadlines: Deadlines = field(init=False)
    _waiting: dict[_Waiter[T], None] = field(init=False, factory=dict)
    _leased: int = field(init=False, default=0)
    _preparing: int = field(init=False, default=0)
    _resetting: int = field(init=False, default=0)
    _pumping: bool = field(init=False, default=False)
    _refusing: bool = field(init=False, default=False)
    _ends: list[Deferred[None]] = field(init=False, factory=list)
    _pid: int = field(init=False, factory=os.getpid)
    _log = Logger()

    def __attrs_post_init__(self) -> None:
        self._deadlines = Deadlines(self._clock)
        self._stock = Stock(
            self._clock, self._hooks, self._limits, Counts(), self._perhaps_end
        )

    def acquire(self, timeout: float | None = None) -> Deferred[Lease[T]]:
        """Borrow a thing; callers are served in the order in which they came.

        Cancelling the answer leaves the queue; nothing is lost by it.

        :param timeout: how long to wait, in seconds; None for ever.
        :raises PoolTimeout: nothing came free in time.
        :raises PoolFull: too many wait already.
        :raises PoolVerifyError: a new thing was no good at once.
        :raises PoolClosed: the pool is closing.
        """
        stack = stack_here()
        found = self._at_once(stack)
        if isinstance(found, Lease):
            return succeed(found)
        return self._asked(timeout, stack, found)

    def _at_once(self, stack: Stack) -> Lease[T] | Awaitable[Item[T]] | None:
        """What needs no queue: an idle thing, where nobody waits.

        Lent already if it is sound without another look, else what looks.
        """
        if os.getpid() != self._pid:
            raise RuntimeError("a pool does not survive a fork")
        if self._refusing or self._waiting or not self._stock.idle:
            return None
        if self._busy() >= self._limits.size:
            return None
        taken = self._stock.take()
        return self._lease(taken, stack, 0.0) if isinstance(taken, Item) else taken

    def _asked(
        self, timeout: float | None, stack: Stack, taken: Awaitable[Item[T]] | None
    ) -> Deferred[Lease[T]]:
        if taken is None and self._refusing:
            return fail(PoolClosed("nothing is lent any more"))
        if taken is None and len(self._waiting) >= self._limits.max_waiting:
            return fail(PoolFull(f"{len(self._waiting)} others are waiting already"))
        waiter: _Waiter[T] = _Waiter(
            Deferred(lambda _: self._cancelled(waiter)),
            self._clock.seconds(),
            stack,
        )
        self._waiting[waiter] = None
        if taken is not None:
            self._begin(taken)
        self._pump()
        if timeout is not None and waiter in self._waiting:
            waiter.limit = self._deadlines.set(timeout, lambda: self._timed_out(waiter))
        return waiter.answer

    def use(
        self, work: Callable[[T], Awaitable[U]], timeout: float | None = None
    ) -> Deferred[U]:
        """Borrow a thing for the time of ``work``.

        If ``work`` fails the thing lives on only if `Hooks.reset` finds it
        clean. Raises what `acquire` and ``work`` raise.
        """
        return Deferred.fromCoroutine(self.lend(work, timeout))

    async def lend(
        self, work: Callable[[T], Awaitable[U]], wait: float | None = None
    ) -> U:
        """As `use`, for a coroutine that awaits it at once."""
        # this gives it back whatever happens: nobody has to know who took it
        lease = self._at_once(())
        if not isinstance(lease, Lease):
            lease = await self._asked(wait, (), lease)
        try:
            result = await work(lease.revocable() if self._debug else lease.thing)
        except BaseException as error:
            if self._hooks.reset is None:
                lease.discard(repr(error))
            else:
                lease.release()
            raise
        lease.release()
        return result

    async def warm_up(self) -> None:
        """Make ``min_idle`` things in advance; a failure ends it and is raised."""
        while not self._refusing and self._total() < self._limits.min_idle:
            self._preparing += 1
            try:
                self._stock.keep(await self._stock.make())
            finally:
                self._preparing -= 1
                self._pump()

    def drain(self) -> Deferred[None]:
        """Serve those who wait already, but nobody else; then be gone.

        Fires when everything that was lent is back and destroyed.
        """
        self._refusing = True
        ended: Deferred[None] = Deferred()
        self._ends.append(ended)
        self._pump()
        return ended

    def close(self) -> Deferred[None]:
        """Turn away those who wait and be gone; fires as `drain` does."""
        self._refusing = True
        for waiter in list(self._waiting):
            self._leave(waiter)
            waiter.answer.errback(PoolClosed("nothing is lent any more"))
        return self.drain()

    def snapshot(self) -> Snapshot:
        """The pool's figures now."""
        counts = self._stock.counts
        return Snapshot(
            size=self._limits.size,
            idle=len(self._stock.idle),
            leased=self._leased,
            busy=self._busy(),
            waiting=len(self._waiting),
            created=counts.created,
            destroyed=counts.destroyed,
            failed=counts.failed,
            timeouts=counts.timeouts,
            leaked=counts.leaked,
            waits=tuple(counts.waits),
            wait_total=counts.wait_total,
        )

    # The queue

    def _busy(self) -> int:
        return self._leased + self._preparing + self._resetting

    def _total(self) -> int:
        return self._busy() + len(self._stock.idle)

    def _leave(self, waiter: _Waiter[T]) -> None:
        self._waiting.pop(waiter, None)
        if waiter.limit is not None:
            self._deadlines.cancel(waiter.limit)

    def _next_waiter(self) -> _Waiter[T] | None:
        waiter = next(iter(self._waiting), None)
        if waiter is not None:
            self._leave(waiter)
        return waiter

    def _cancelled(self, waiter: _Waiter[T]) -> None:
        self._leave(waiter)
        self._perhaps_end()

    def _timed_out(self, waiter: _Waiter[T]) -> None:
        self._leave(waiter)
        self._stock.counts.timeouts += 1
        waited = self._clock.seconds() - waiter.since
        waiter.answer.errback(PoolTimeout(f"nothing came free in {waited:.1f} s"))
        self._pump()

    def _pump(self) -> None:
        """Prepare as many things as are waited for and permitted."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._waiting and self._busy() < self._limits.size:
                # What comes back overtakes what is still being made.
                if self._preparing >= len(self._waiting) and not self._stock.idle:
                    break
                taken = self._stock.take()
                if isinstance(taken, Item):
                    self._lend(taken)
                else:
                    self._begin(taken)
        finally:
            self._pumping = False
        self._perhaps_end()

    def _begin(self, taken: Awaitable[Item[T]]) -> None:
        self._preparing += 1
        Deferred.fromCoroutine(self._prepare(taken))

    async def _prepare(self, taken: Awaitable[Item[T]]) -> None:
        """Give what was ``taken``, or the failure, to whoever is first."""
        try:
            item = await taken
        except Exception as error:
            self._preparing -= 1
            waiter = self._next_waiter()
            if waiter is not None:
                waiter.answer.errback(error)
            elif isinstance(error, CloudError | OSError):
                self._log.warn("{why}; nobody waits for that any more", why=error)
            else:
                self._log.failure("nobody waits for what could not be made")
        else:
            self._preparing -= 1
            self._lend(item)
        self._pump()

    def _lend(self, item: Item[T]) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._stock.keep(item)
            return
        waited = self._clock.seconds() - waiter.since
        waiter.answer.callback(self._lease(item, waiter.stack, waited))

    def _lease(self, item: Item[T], stack: Stack, waited: float) -> Lease[T]:
        self._leased += 1
        item.uses += 1
        counts = self._stock.counts
        counts.waits[bisect_left(WAIT_BUCKETS, waited)] += 1
        counts.wait_total += waited
        return Lease(item, stack, self._ended, self._leaked)

    def _perhaps_end(self) -> None:
        if not self._ends or self._waiting or self._busy():
            return
        self._stock.clear()
        if not self._stock.destroying:
            ends, self._ends = self._ends, []
            for ended in ends:
                ended.callback(None)

    # What leases say

    def _ended(self, item: Item[T], no_good: str | None) -> None:
        self._leased -= 1
        if no_good is None:
            cleaning = self._stock.take_back(item)
            if cleaning is not None:
                self._resetting += 1
                Deferred.fromCoroutine(self._reset(cleaning))
        else:
            self._log.debug("discarded: {reason}", reason=no_good)
            self._stock.destroy(item)
        self._pump()

    async def _reset(self, cleaning: Awaitable[None]) -> None:
        await cleaning
        self._resetting -= 1
        self._pump()

    def _leaked(self, item: Item[T], stack: Stack) -> None:
        def recover() -> None:
            self._stock.counts.leaked += 1
            self._log.error(
                "a lease was dropped unreleased; taken at\n{stack}",
                stack=stack_text(stack),
            )
            self._ended(item, "leaked")

        if self._call_soon is None:
            self._clock.callLater(0, recover)
        else:
            self._call_soon(recover)
