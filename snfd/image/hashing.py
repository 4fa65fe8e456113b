"""Hashes of a whole stream beside its way into blocks, off the reactor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from storage.upload import Sink
from storage.workers import Workers
from storage.writer import Upload

_BATCH = 1024 * 1024
"""Bytes that are hashed in one go."""

_HELD = 8 * 1024 * 1024
"""Bytes that may wait to be hashed before the client is held back."""


class HashingSink:
    """A `storage.upload.Sink` that also knows SHA-256 and SHA-512 of the whole.

    :ivar context: whatever its opener wants to find again in the end.
    :param aborted: called once if the data does not come to its end.
    """

    def __init__(
        self,
        inner: Sink,
        workers: Workers,
        context: Any,
        aborted: Callable[[], None],
    ) -> None:
        self.context = context
        self._inner = inner
        self._workers = workers
        self._aborted: Callable[[], None] | None = aborted
        self._sha256 = hashlib.sha256()
        self._sha512 = hashlib.sha512()
        self._pending: list[bytes] = []
        self._held = 0
        self._hashing: Deferred[None] | None = None
        self._error: Exception | None = None
        self._waiting: Deferred[None] | None = None

    @property
    def sha256(self) -> bytes:
        """Of the whole; only once it was closed."""
        return self._sha256.digest()

    @property
    def sha512(self) -> bytes:
        """Of the whole; only once it was closed."""
        return self._sha512.digest()

    def write(self, data: bytes) -> Deferred[None] | None:
        """Take ``data`` (`Sink.write`)."""
        self._check()
        storing = self._inner.write(data)
        self._pending.append(data)
        self._held += len(data)
        if self._hashing is None and self._held >= _BATCH:
            self._hashing = Deferred.fromCoroutine(self._hash())
        if self._waiting is not None and not self._waiting.called:
            return self._waiting
        if self._hashing is None or self._held < _HELD:
            return storing
        hashed = _after(self._hashing)
        self._waiting = hashed if storing is None else _both(storing, hashed)
        return self._waiting

    async def close(self) -> Upload:
        """End the stream (`Sink.close`)."""
        upload = await self._inner.close()
        if self._hashing is not None:
            await _after(self._hashing)
        await self._hash()
        self._check()
        self._aborted = None
        return upload

    def abort(self) -> None:
        """Forget the stream (`Sink.abort`)."""
        self._inner.abort()
        self._pending.clear()
        tell, self._aborted = self._aborted, None
        if tell is not None:
            tell()

    async def _hash(self) -> None:
        """Hash what is pending, and what comes meanwhile."""
        try:
            while self._pending:
                pieces, self._pending = self._pending, []
                amount = sum(map(len, pieces))
                await self._workers.run(self._update, pieces)
                self._held -= amount
        except Exception as error:
            self._error = error
        finally:
            self._hashing = None

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _update(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._sha256.update(piece)
            self._sha512.update(piece)


def _after(first: Deferred[None]) -> Deferred[None]:
    """Fire once ``first``, which does not fail, has fired."""
    answer: Deferred[None] = Deferred()
    first.addCallback(lambda _: answer.callback(None))
    return answer


def _both(one: Deferred[None], other: Deferred[None]) -> Deferred[None]:
    """Fire once both have fired; fail as ``one`` does."""
    answer: Deferred[None] = Deferred()

    def first_is_there(result: None) -> None:
        other.addCallback(lambda _: answer.callback(None))

    one.addCallbacks(first_is_there, answer.errback)
    return answer
