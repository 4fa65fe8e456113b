"""Where blocks live: the port, and one in memory that keeps all its promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from hashlib import sha256
from typing import Protocol

from attrs import define, field, frozen

from snfd.errors import NotFound, Unavailable
from storage.hashmap import DIGEST_SIZE, EMPTY, is_hole, stripped

BATCH = 1000
"""How many digests `Blocks.digests` hands out at a time, at most."""


class Damaged(Unavailable):
    """A stored block is not what its digest says."""


@frozen
class Stat:
    """What is known of a stored block.

    :ivar size: stored length in bytes, without trailing zeros.
    :ivar touched: when it was last put, in seconds since 1970 (UTC).
    """

    size: int
    touched: float


class Blocks(Protocol):
    """Blocks of bytes under the SHA-256 of what they hold (`hashmap`).

    A digest is 32 raw bytes.  Trailing zeros are not stored, so a block may come
    back shorter than it went in; the reader knows the length and adds them.  The
    empty block is always there and takes no room; the digest of 32 zero bytes
    means it too.  Whatever is away or too slow is `Unavailable`.
    """

    async def put(self, data: bytes) -> bytes:
        """Store a block durably and give its digest; again is as good as once.

        A block that is there already counts as touched now (`delete`).
        """
        ...

    async def get(
        self, digest: bytes, offset: int = 0, length: int | None = None
    ) -> bytes:
        """Read a block, or ``length`` bytes of it from ``offset`` on.

        Bytes beyond what is stored are zeros that are left out.

        :raises NotFound: there is no such block.
        :raises Damaged: what is stored does not match the digest.
        """
        ...

    async def missing(self, digests: Sequence[bytes]) -> list[bytes]:
        """Say which are not stored: each once, in the order given."""
        ...

    async def stat(self, digest: bytes) -> Stat:
        """Say what is known of a block.

        :raises NotFound: there is no such block.
        """
        ...

    async def delete(self, digest: bytes, before: float | None = None) -> bool:
        """Remove a block; say whether it is gone.

        :param before: leave it alone if it was last put at this time or later,
            in seconds since 1970 (UTC): a put may be about to be named.
        """
        ...

    def digests(self) -> AsyncIterator[Sequence[bytes]]:
        """Give all stored blocks in no order, at most `BATCH` at a time.

        What is put or deleted meanwhile may or may not be among them.
        """
        ...

    async def close(self) -> None:
        """Let go of everything; what was put stays put."""
        ...


def checked(digest: bytes) -> bytes:
    """Give ``digest`` back if it has the form of one.

    :raises ValueError: it has not; a caller's mistake, not a client's.
    """
    if len(digest) != DIGEST_SIZE:
        raise ValueError(f"a digest has {DIGEST_SIZE} bytes, not {len(digest)}")
    return digest


def verified(digest: bytes, data: bytes) -> bytes:
    """Give ``data`` back if it is what ``digest`` names.

    :raises Damaged: it is not.
    """
    if sha256(data).digest() != digest:
        raise Damaged(f"block {digest.hex()} is damaged", block=digest.hex())
    return data


def absent(digest: bytes) -> NotFound:
    """Make the error for a block that is not there."""
    return NotFound(f"there is no block {digest.hex()}", block=digest.hex())


def part(data: bytes, offset: int, length: int | None) -> bytes:
    """Cut ``length`` bytes from ``offset`` on out of ``data``; all if none given."""
    if not offset and length is None:
        return data
    return data[offset : None if length is None else offset + length]


def distinct(digests: Iterable[bytes]) -> list[bytes]:
    """Give each digest that must be stored somewhere once, in order."""
    return [d for d in dict.fromkeys(map(checked, digests)) if not is_hole(d)]


@define(eq=False)
class MemoryBlocks:
    """Blocks in a dictionary; for tests and for a first look.

    :ivar seconds: the time now, in seconds since 1970.
    """

    seconds: Callable[[], float] = lambda: 0.0
    _stored: dict[bytes, tuple[bytes, float]] = field(init=False, factory=dict)

    async def put(self, data: bytes) -> bytes:
        """Store a block (`Blocks.put`)."""
        data = stripped(data)
        digest = sha256(data).digest()
        if digest != EMPTY:
            self._stored[digest] = data, self.seconds()
        return digest

    async def get(
        self, digest: bytes, offset: int = 0, length: int | None = None
    ) -> bytes:
        """Read a block (`Blocks.get`)."""
        if is_hole(checked(digest)):
            return b""
        if digest not in self._stored:
            raise absent(digest)
        return part(verified(digest, self._stored[digest][0]), offset, length)

    async def missing(self, digests: Sequence[bytes]) -> list[bytes]:
        """Say which are not stored (`Blocks.missing`)."""
        return [digest for digest in distinct(digests) if digest not in self._stored]

    async def stat(self, digest: bytes) -> Stat:
        """Say what is known of a block (`Blocks.stat`)."""
        if is_hole(checked(digest)):
            return Stat(0, 0.0)
        if digest not in self._stored:
            raise absent(digest)
        data, touched = self._stored[digest]
        return Stat(len(data), touched)

    async def delete(self, digest: bytes, before: float | None = None) -> bool:
        """Remove a block (`Blocks.delete`)."""
        found = self._stored.get(checked(digest))
        if found is not None and before is not None and found[1] >= before:
            return False
        self._stored.pop(digest, None)
        return True

    async def digests(self) -> AsyncIterator[Sequence[bytes]]:
        """Give all stored blocks (`Blocks.digests`)."""
        all_digests = list(self._stored)
        for start in range(0, len(all_digests), BATCH):
            yield all_digests[start : start + BATCH]

    async def close(self) -> None:
        """Let go of everything (`Blocks.close`)."""
