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

    def take(self, tries: int = 0) -> Item[T] | Awaitable[Item[T]]:
        """A thing that may be lent: an idle one that is sound, else a new one.

        At once where its check answers at once. Awaiting it raises what `make`
        raises.
        """
        for tried in range(tries, self._limits.size):
            if not self.idle:
                break
            item = self.idle.pop()
            sound = not self._worn(item) and self._verify(item)
            if sound is True:
                return item
            if isinstance(sound, Awaitable):
                return self._perhaps(item, sound, tried + 1)
            self.destroy(item)
        return self.make()

    async def _perhaps(
        self, item: Item[T], sound: Awaitable[bool], tries: int
    ) -> Item[T]:
        if await self._known(sound):
            return item
        self.destroy(item)
        taken = self.take(tries)
        return taken if isinstance(taken, Item) else await taken

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
        sound = self._verify(item)
        if not (sound if isinstance(sound, bool) else await self._known(sound)):
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

    def take_back(self, item: Item[T]) -> Awaitable[None] | None:
        """Clean ``item`` after use; keep it or, if it is no good, end it.

        Done at once where `Hooks.reset` answers at once.
        """
        try:
            hook = self._hooks.reset
            clean = hook is None or hook(item.thing)
        except Exception:
            self._log.failure("could not clean what was pooled")
            clean = False
        if isinstance(clean, Awaitable):
            return self._store_if(item, clean)
        self._store(item, clean=clean)
        return None

    async def _store_if(self, item: Item[T], clean: Awaitable[bool]) -> None:
        self._store(item, clean=await self._known(clean))

    def _store(self, item: Item[T], *, clean: bool) -> None:
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

    def _verify(self, item: Item[T]) -> bool | Awaitable[bool]:
        try:
            return self._hooks.verify(item.thing)
        except Exception:
            self._log.failure("a check failed; its object is taken for dead")
            return False

    async def _known(self, answer: Awaitable[bool]) -> bool:
        try:
            return await answer
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
