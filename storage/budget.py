"""How much memory all transfers together may take."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred, succeed


class Budget:
    """Shares out a number of bytes; whoever waits is served in turn.

    :param limit: how many bytes may be out at once (> 0).
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._waiting: deque[tuple[Deferred[None], int]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for their share."""
        return len(self._waiting)

    def take(self, amount: int) -> bool:
        """Take ``amount`` bytes if that is possible without waiting."""
        amount = min(amount, self.limit)
        if self._waiting or self.used + amount > self.limit:
            return False
        self.used += amount
        return True

    def acquire(self, amount: int) -> Deferred[None]:
        """Fire once ``amount`` bytes were taken; cancelling leaves the queue.

        Whoever asks for more than there is gets all there is.
        """
        if self.take(amount):
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._leave)
        self._waiting.append((waiter, min(amount, self.limit)))
        return waiter

    def release(self, amount: int) -> None:
        """Give back what was taken with the same ``amount``."""
        self.used -= min(amount, self.limit)
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self.used + self._waiting[0][1] <= self.limit:
            waiter, amount = self._waiting.popleft()
            self.used += amount
            waiter.callback(None)

    def _leave(self, waiter: Deferred[None]) -> None:
        self._waiting = deque(pair for pair in self._waiting if pair[0] is not waiter)
        self._serve()
