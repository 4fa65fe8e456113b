"""Passwords: argon2id, hashed in one thread of their own.

Hashing takes tens of milliseconds of one core and must not reach the reactor,
nor may a flood of logins take more than one core.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from snfd.errors import Closed, Unavailable
from snfd.identity.names import check_password

T = TypeVar("T")

QUEUE = 64
"""How many hashes may wait; about two seconds of work."""


def argon2id() -> PasswordHasher:
    """Argon2id with 19 MiB, two passes, one lane (decision 14)."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Thread(Protocol):
    """Runs work outside of the reactor."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]:
        """The result of ``work``.

        :raises Unavailable: too much is waiting already.
        """
        ...


class Passwords:
    """Hashes and verifies passwords.

    :param thread: where the work is done.
    :param hasher: the algorithm and its cost.
    """

    def __init__(self, thread: Thread, hasher: PasswordHasher) -> None:
        self._thread = thread
        self._hasher = hasher
        self._nobody = hasher.hash("nobody's password")

    async def hash(self, password: str) -> str:
        """What to store of ``password``, in PHC form.

        :raises Invalid: it is empty or too long.
        :raises Unavailable: too many wait for theirs.
        """
        check_password(password)
        return await self._thread(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` is the one that ``stored`` was made of.

        :param stored: None where there is no user or no password; then the
            answer is False, and takes as long as any other.
        :raises Unavailable: too many wait for theirs.
        """
        against = self._nobody if stored is None else stored

        def work() -> bool:
            try:
                return self._hasher.verify(against, _bytes(password))
            except (VerificationError, InvalidHashError):
                return False

        return await self._thread(work) and stored is not None


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


@define(eq=False)
class OneThread(Service):
    """A `Thread`: really one, with a bounded queue.

    :ivar limit: how many works may run or wait.
    """

    reactor: IReactorFromThreads
    limit: int = QUEUE
    _pool: ThreadPool = field(init=False)
    _waiting: set[Deferred[Any]] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self._pool = ThreadPool(1, 1, "passwords")

    async def __call__(self, work: Callable[[], T]) -> T:
        """See `Thread`.

        :raises Unavailable: the queue is full.
        :raises Closed: the service does not run.
        """
        if not self.running:
            raise Closed("logins are not served now")
        if len(self._waiting) >= self.limit:
            raise Unavailable("too many logins at once", retry_after=2)
        done: Deferred[T] = deferToThreadPool(self.reactor, self._pool, work)
        self._waiting.add(done)
        # whoever asked may be cancelled; the place in the queue stays taken
        answer: Deferred[T] = Deferred(lambda _: None)
        done.addBoth(self._done, done, answer)
        return await answer

    def startService(self) -> None:
        """Start the thread."""
        Service.startService(self)
        self._pool.start()

    def stopService(self) -> Deferred[Any]:
        """Take no more work, finish what waits, end the thread."""
        Service.stopService(self)
        idle: Deferred[Any] = DeferredList([_when(one) for one in self._waiting])
        return idle.addBoth(lambda _: self._pool.stop())

    def _done(
        self, result: T | Failure, done: Deferred[Any], answer: Deferred[T]
    ) -> None:
        self._waiting.discard(done)
        if not answer.called:
            answer.callback(result)


def _when(done: Deferred[T]) -> Deferred[None]:
    """Fires when ``done`` does, without taking its result."""
    fired: Deferred[None] = Deferred()

    def tell(result: T) -> T:
        fired.callback(None)
        return result

    done.addBoth(tell)
    return fired
