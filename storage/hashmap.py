"""Hashes of blocks and of lists of blocks, exactly as Pithos has them.

A block's hash leaves its trailing zero bytes out, so a short last block and the
same bytes padded with zeros are one block, and all zeros are the empty block.
The root of a list is a Merkle tree over raw digests.  Source of the rules:
``spec/pithos.md`` §3.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()
"""The hash of the empty block, and of every block of zeros; never stored."""

HOLE = bytes(32)
"""The digest that stands in a map for a block that was never written."""

DIGEST_SIZE = 32
"""Length of a digest, in bytes."""

_STEP = 65536
_ZEROS = bytes(_STEP)


def stripped(piece: bytes) -> bytes:
    """Give ``piece`` without its trailing zero bytes: what is hashed and stored."""
    # A plain rstrip looks at one byte at a time with the GIL held: 4 MiB of
    # zeros would stop the reactor for over 10 ms.
    end = len(piece)
    while end and piece.endswith(_ZEROS[: min(end, _STEP)], 0, end):
        end -= min(end, _STEP)
    if end < len(piece):
        piece = piece[:end]
    return piece.rstrip(b"\0")


def block_hash(piece: bytes) -> bytes:
    """Give the digest under which ``piece`` is stored, 32 bytes."""
    return hashlib.sha256(stripped(piece)).digest()


def is_hole(digest: bytes) -> bool:
    """Say whether ``digest`` names a block of zeros, which is stored nowhere."""
    return digest in (EMPTY, HOLE)


def root(leaves: Sequence[bytes]) -> bytes:
    """Give the Merkle root of a list of block digests, 32 bytes.

    No leaf gives the hash of nothing, one leaf gives that leaf itself; more are
    padded with zero digests to a power of two.  The object's size is not part
    of it.
    """
    if not leaves:
        return EMPTY
    row, zero = list(leaves), HOLE
    while len(row) > 1:
        if len(row) % 2:
            row.append(zero)
        row = [_pair(row[i], row[i + 1]) for i in range(0, len(row), 2)]
        zero = _pair(zero, zero)
    return row[0]


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(left + right).digest()
