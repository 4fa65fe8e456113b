"""What a pool has in stock: makes, checks, keeps, cleans and ends things."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from snfd.lending import Counts, Hooks, Item, Limits, PoolVerifyError

T = TypeVar("T")
U = TypeVar("U")


@define(eq=False)
class Stock(Generic[T]):
    """The things of one pool that nobody has, and the hooks around all of them.

    :ivar counts: kept here, and by the pool.
    :ivar ended: called whenever a thing has been destroyed.
    """

    _clock: IReactorTime
    _hooks: Hooks[T]
    _limits: Limits
    counts: Counts
    ended: Callable[[], None]
    idle: deque[Item[T]] = field(init=False, factory=deque)
    destroying: int = field(init=False, default=0)
    _evictor: IDelayedCall | None = field(init=False, default=None)
    _log = Logger()

    async def take(self) -> Item[T]:
        """A thing that may be lent: an idle one that is sound, else a new one.

        :raises PoolVerifyError: a new one was no good.
        """
        for _ in range(self._limits.size):
            if not self.idle:
                break
            item = self.idle.pop()
            if not self._worn(item) and await self._verified(item):
                return item
            self.destroy(item)
        return await self.make()

    async def make(self) -> Item[T]:
        """A new thing; raises what `Hooks.create` raises.

        :raises PoolVerifyError: it is no good.
        """
        try:
            thing = await _settled(self._hooks.create())
        except BaseException:
            self.counts.failed += 1
            raise
        self.counts.created += 1
        now = self._clock.seconds()
        item = Item(thing, now, now)
        if not await self._verified(item):
            self.counts.failed += 1
            self.destroy(item)
            raise PoolVerifyError("what was just made is no good")
        return item

    def keep(self, item: Item[T]) -> None:
        """Have ``item`` idle."""
        item.used = self._clock.seconds()
        self.idle.append(item)
        if self._limits.idle_ttl is not None and self._evictor is None:
            self._evictor = self._clock.callLater(self._limits.idle_ttl, self._evict)

    async def take_back(self, item: Item[T]) -> None:
        """Clean ``item`` after use; keep it or, if it is no good, end it."""
        try:
            hook = self._hooks.reset
            clean = hook is None or await _settled(hook(item.thing))
        except Exception:
            self._log.failure("could not clean what was pooled")
            clean = False
        if clean and not self._worn(item):
            self.keep(item)
        else:
            self.destroy(item)

    def destroy(self, item: Item[T]) -> None:
        """End ``item``; `ended` is called afterwards."""
        self.destroying += 1
        Deferred.fromCoroutine(self._end(item))

    def clear(self) -> None:
        """End all that is idle."""
        if self._evictor is not None:
            self._evictor.cancel()
            self._evictor = None
        while self.idle:
            self.destroy(self.idle.pop())

    async def _end(self, item: Item[T]) -> None:
        try:
            await _settled(self._hooks.destroy(item.thing))
        except Exception:
            self._log.failure("could not destroy what was pooled")
        self.destroying -= 1
        self.counts.destroyed += 1
        self.ended()

    async def _verified(self, item: Item[T]) -> bool:
        try:
            return await _settled(self._hooks.verify(item.thing))
        except Exception:
            self._log.failure("a check failed; its object is taken for dead")
            return False

    def _worn(self, item: Item[T]) -> bool:
        limits = self._limits
        age = self._clock.seconds() - item.born
        return (limits.max_age is not None and age >= limits.max_age) or (
            limits.max_uses is not None and item.uses >= limits.max_uses
        )

    def _evict(self) -> None:
        self._evictor = None
        ttl = self._limits.idle_ttl or 0.0
        while len(self.idle) > self._limits.min_idle:
            left = self.idle[0].used + ttl - self._clock.seconds()
            if left > 0:
                self._evictor = self._clock.callLater(left, self._evict)
                return
            self.destroy(self.idle.popleft())


async def _settled(result: U | Awaitable[U]) -> U:
    """What ``result`` is, once it is."""
    return await result if isinstance(result, Awaitable) else result
