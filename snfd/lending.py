"""By what terms `snfd.pool` lends: hooks, limits, leases, and what goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import Any, Generic, TypeVar, cast

from attrs import define, field, frozen

from snfd.errors import Closed, Timeout, Unavailable

T = TypeVar("T")

WAIT_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, float("inf"))
_STACK_DEPTH = 12


class PoolTimeout(Timeout):
    """Nothing came free in the time that the caller would wait."""


class PoolClosed(Closed):
    """The pool lends nothing any more."""


class PoolFull(Unavailable):
    """So many wait already that one more would wait in vain."""


class PoolVerifyError(Unavailable):
    """A thing was made and is no good."""


class DoubleRelease(Exception):
    """A lease was given back a second time; nothing happened."""


class UsedAfterRelease(Exception):
    """A thing was used by someone who had given it back."""


@frozen
class Hooks(Generic[T]):
    """What a pool must know about its things; each may return an awaitable.

    A hook must end in bounded time by itself: the pool waits for it.

    :ivar create: makes a new one.
    :ivar destroy: ends one, whatever its state.
    :ivar verify: whether it may be lent; asked before every loan.
    :ivar reset: cleans it after use and says whether it may be lent again;
        None where a thing whose user failed is never to be trusted.
    """

    create: Callable[[], T | Awaitable[T]]
    destroy: Callable[[T], object]
    verify: Callable[[T], bool | Awaitable[bool]] = lambda _: True
    reset: Callable[[T], bool | Awaitable[bool]] | None = None


@frozen
class Limits:
    """How much, how long and how often; times in seconds, None is no limit.

    :ivar size: how many may be lent or in the making at once.
    :ivar max_waiting: how many callers may queue.
    :ivar idle_ttl: unused things beyond ``min_idle`` go after this time.
    :ivar min_idle: how many `Pool.warm_up` makes, and idling spares.
    """

    size: int
    max_waiting: int = 1000
    max_age: float | None = None
    max_uses: int | None = None
    idle_ttl: float | None = None
    min_idle: int = 0

    def __attrs_post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.min_idle <= self.size:
            raise ValueError("need size >= 1 and 0 <= min_idle <= size")


@define(eq=False)
class Counts:
    """What happened in a pool so far; see `Snapshot`."""

    created: int = 0
    destroyed: int = 0
    failed: int = 0
    timeouts: int = 0
    leaked: int = 0
    wait_total: float = 0.0
    waits: list[int] = field(factory=lambda: [0] * len(WAIT_BUCKETS))


@frozen
class Snapshot:
    """A pool's figures at one moment.

    :ivar busy: lent, in the making, or being checked or cleaned.
    :ivar waits: waits per bucket; `wait_buckets` are the upper ends, seconds.
    :ivar wait_total: seconds waited by all that were served.
    """

    size: int
    idle: int
    leased: int
    busy: int
    waiting: int
    created: int
    destroyed: int
    failed: int
    timeouts: int
    leaked: int
    waits: tuple[int, ...]
    wait_total: float
    wait_buckets: tuple[float, ...] = WAIT_BUCKETS


@define(eq=False)
class Item(Generic[T]):
    """A thing and its record; times in seconds of the pool's clock."""

    thing: T
    born: float
    used: float
    uses: int = 0


Stack = tuple[tuple[CodeType, int], ...]
"""Code, and how far it got in bytes; lines are worked out if somebody asks."""


def stack_here(depth: int = _STACK_DEPTH) -> Stack:
    """Who called whoever calls this, innermost first; cheap."""
    frame = sys._getframe(2)
    found: list[tuple[CodeType, int]] = []
    while frame is not None and len(found) < depth:
        found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(found)


def stack_text(stack: Stack) -> str:
    """``stack`` for people, innermost last."""
    return "\n".join(
        f"  {code.co_filename}:{_line(code, at)} in {code.co_qualname}"
        for code, at in reversed(stack)
    )


def _line(code: CodeType, at: int) -> int:
    """The line of the instruction that starts ``at`` bytes into ``code``."""
    return next(
        (line for start, end, line in code.co_lines() if line and start <= at < end),
        code.co_firstlineno,
    )


Ended = Callable[[Item[T], str | None], None]
"""Told of the end of a lease, with the reason why the thing is no good or None."""

Leaked = Callable[[Item[T], Stack], None]
"""Told, from any thread, of a lease that was dropped unreleased."""


class _Revocable:
    """Stands for a thing until its lease ends (debug mode)."""

    def __init__(self, lease: Lease[Any]) -> None:
        object.__setattr__(self, "_lease", lease)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_lease").thing, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(object.__getattribute__(self, "_lease").thing, name, value)


class Lease(Generic[T]):
    """The right to use one thing until it is given back, exactly once."""

    def __init__(
        self, item: Item[T], stack: Stack, ended: Ended[T], leaked: Leaked[T]
    ) -> None:
        self._item: Item[T] | None = item
        self._stack = stack
        self._ended = ended
        self._leaked = leaked

    @property
    def thing(self) -> T:
        """What was lent.

        :raises UsedAfterRelease: the lease has ended.
        """
        if self._item is None:
            raise UsedAfterRelease("this lease has ended")
        return self._item.thing

    def revocable(self) -> T:
        """What was lent, in a wrapper that is of no use once the lease ends."""
        return cast(T, _Revocable(self))

    def release(self) -> None:
        """Give it back to be lent again, once `Hooks.reset` finds it clean.

        :raises DoubleRelease: the lease has ended already.
        """
        self._ended(self._end(), None)

    def discard(self, reason: str) -> None:
        """Give it back to be destroyed.

        :raises DoubleRelease: the lease has ended already.
        """
        self._ended(self._end(), reason)

    def _end(self) -> Item[T]:
        if self._item is None:
            raise DoubleRelease("this lease has ended already")
        item, self._item = self._item, None
        return item

    def __del__(self) -> None:
        if self._item is not None:
            self._leaked(self._item, self._stack)
