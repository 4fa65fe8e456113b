"""Rows of maps (frozen lists of blocks) and of the block index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from snfd.db.port import Transaction
from snfd.objects.model import EMPTY_DIGEST, NewContent

SLOTS = 256
"""Digests in one page."""

DIGEST = 32
"""Bytes of a digest."""


def pages(digests: Sequence[bytes]) -> list[bytes]:
    """``digests`` as the slots of pages."""
    return [
        b"".join(digests[start : start + SLOTS])
        for start in range(0, len(digests), SLOTS)
    ]


def slots(joined: bytes | None) -> list[bytes]:
    """The digests in pages that were put one behind the other."""
    joined = joined or b""
    return [joined[at : at + DIGEST] for at in range(0, len(joined), DIGEST)]


def lengths(content: NewContent) -> Mapping[bytes, int]:
    """The blocks to store and the most bytes that each can have."""
    size, found = content.block_size, dict[bytes, int]()
    for index, digest in enumerate(content.digests):
        length = min(size, content.size - index * size)
        if digest != EMPTY_DIGEST and length > found.get(digest, 0):
            found[digest] = length
    return found


async def take(tx: Transaction, content: NewContent) -> tuple[int, bool]:
    """The id of the map with this content, with one reference more.

    :return: with it, whether the map is new; then `fill` must follow, else
        `claim`.
    """
    row = await tx.row(
        "INSERT INTO store.map AS m (size, block_size, root, md5, refs)"
        " VALUES (%s, %s, %s, %s, 1)"
        " ON CONFLICT (root, size, block_size, algo) WHERE root IS NOT NULL"
        " DO UPDATE SET refs = m.refs + 1, zero_since = NULL,"
        " md5 = coalesce(m.md5, excluded.md5) RETURNING id, xmax = 0",
        (content.size, content.block_size, content.root, content.md5),
    )
    assert row is not None
    return row[0], row[1]


async def fill(
    tx: Transaction, ident: int, account_id: int, content: NewContent
) -> None:
    """Write a new map's blocks; the account can name them by their hash."""
    if not content.digests:
        return
    joined = pages(content.digests)
    digests, sizes = _columns(lengths(content))
    await tx.execute(
        "WITH filled AS (INSERT INTO store.map_page (map_id, page, slots)"
        " SELECT %s, p.page - 1, p.slots"
        " FROM unnest(%s::bytea[]) WITH ORDINALITY AS p(slots, page))," + _INDEX,
        (ident, joined, 1, digests, sizes, account_id),
    )


async def claim(tx: Transaction, account_id: int, content: NewContent) -> None:
    """From now on the account can name the blocks of a map by their hash."""
    digests = sorted(lengths(content))
    if digests:
        await tx.execute(
            "INSERT INTO store.claim (account_id, digest)"
            " SELECT %s, d FROM unnest(%s::bytea[]) AS t(d) ON CONFLICT DO NOTHING",
            (account_id, digests),
        )


async def keep(tx: Transaction, ident: int) -> None:
    """One reference more to a map."""
    await tx.execute(
        "UPDATE store.map SET refs = refs + 1, zero_since = NULL WHERE id = %s",
        (ident,),
    )


async def share(tx: Transaction, ident: int) -> bool:
    """One reference more to a map that is in use; False if it is not any more."""
    kept = await tx.execute(
        "UPDATE store.map SET refs = refs + 1 WHERE id = %s AND refs > 0", (ident,)
    )
    return kept == 1


async def claim_all(tx: Transaction, account_id: int, ident: int) -> None:
    """As `claim`, for a map whose blocks the caller does not know."""
    await tx.execute(
        "INSERT INTO store.claim (account_id, digest) SELECT %s, b.digest"
        " FROM store.block b WHERE b.digest IN (SELECT"
        " substring(p.slots FROM 32 * i + 1 FOR 32) FROM store.map_page p,"
        " generate_series(0, length(p.slots) / 32 - 1) AS i WHERE p.map_id = %s)"
        " ORDER BY b.digest ON CONFLICT DO NOTHING",
        (account_id, ident),
    )


async def release(tx: Transaction, ident: int) -> None:
    """One reference less to a map."""
    await tx.execute(
        "UPDATE store.map SET refs = refs - 1,"
        " zero_since = CASE WHEN refs = 1 THEN now() END WHERE id = %s",
        (ident,),
    )


async def set_md5(tx: Transaction, ident: int, md5: bytes) -> None:
    """Note the MD5 of a map's content."""
    await tx.execute("UPDATE store.map SET md5 = %s WHERE id = %s", (md5, ident))


async def show(tx: Transaction, account_id: int, blocks: Mapping[bytes, int]) -> None:
    """Note that the account has sent these blocks (digest: most bytes)."""
    digests, sizes = _columns(blocks)
    if digests:
        await tx.execute("WITH" + _INDEX, (0, digests, sizes, account_id))


async def unclaimed(
    tx: Transaction, accounts: Sequence[UUID], digests: Sequence[bytes]
) -> list[bytes]:
    """Which of ``digests`` none of the accounts has ever shown, in order."""
    found = await tx.rows(
        "SELECT c.digest FROM store.claim c JOIN store.account a"
        " ON a.id = c.account_id WHERE a.uuid = ANY(%s::uuid[])"
        " AND c.digest = ANY(%s::bytea[])",
        (list(accounts), list(digests)),
    )
    known = {row[0] for row in found} | {EMPTY_DIGEST}
    return [digest for digest in dict.fromkeys(digests) if digest not in known]


_INDEX = (
    # In digest order, as all do.
    " kept AS (INSERT INTO store.block AS b (digest, len, refs)"
    " SELECT d, l, %s FROM unnest(%s::bytea[], %s::int[]) AS t(d, l) ORDER BY d"
    " ON CONFLICT (digest) DO UPDATE"
    " SET refs = b.refs + excluded.refs, touched = now() RETURNING digest)"
    " INSERT INTO store.claim (account_id, digest)"
    " SELECT %s, digest FROM kept ON CONFLICT DO NOTHING"
)
"""Enter blocks, and the account's claim to them."""


def _columns(blocks: Mapping[bytes, int]) -> tuple[list[bytes], list[int]]:
    digests = sorted(blocks)
    return digests, [blocks[digest] for digest in digests]
