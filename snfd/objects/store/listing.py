"""Pages of the names in a container, by keyset."""

from __future__ import annotations

from snfd.db.port import Row, Statement
from snfd.objects.model import Entry, Listing, Query, Rolled
from snfd.objects.rules import MAX_OBJECT

_LAST = chr(0x10FFFF)

_ENTRY = "v.serial, o.uuid, v.size, v.ctype, m.root, m.md5, v.mtime, v.muser"
_JOIN = " JOIN store.version v ON v.serial = o.cur JOIN store.map m ON m.id = v.map_id"

FLAT = Statement(
    "store_listing_flat",
    f"SELECT o.name, FALSE, {_ENTRY} FROM store.object o{_JOIN}"
    " WHERE o.container_id = $1 AND o.name >= $2 AND o.name < $3"
    " AND o.cur IS NOT NULL ORDER BY o.name LIMIT $4",
)

_STEP = (
    " CROSS JOIN LATERAL (SELECT o.id, o.name, cut.head,"
    " cut.head IS NOT NULL AND NOT ($8 AND cut.head = o.name) AS rolled"
    " FROM store.object o"
    " CROSS JOIN LATERAL (SELECT position($5 IN substr(o.name, $6 + 1))) AS found(at)"
    " CROSS JOIN LATERAL (SELECT CASE WHEN found.at > 0 THEN"
    " left(o.name, $6 + found.at + length($5) - 1) END) AS cut(head)"
    " WHERE o.container_id = $1 AND o.name >= pos.pos AND o.name < $3"
    " AND o.cur IS NOT NULL ORDER BY o.name LIMIT 1) AS hit"
)
_NEXT = (
    "hit.id, CASE WHEN hit.rolled THEN hit.head ELSE hit.name END, hit.rolled,"
    " CASE WHEN hit.rolled OR hit.name = hit.head"
    " THEN left(hit.head, -1) || $7 ELSE hit.name || chr(1) END"
)

ROLLED = Statement(
    "store_listing_rolled",
    # One index probe for each entry: a rolled-up name is jumped over, however
    # many names it stands for.
    "WITH RECURSIVE walk(id, name, rolled, pos, n) AS ("
    f"SELECT {_NEXT}, (NOT hit.rolled OR $9)::int"
    f" FROM (VALUES ($2)) AS pos(pos){_STEP}"
    f" UNION ALL SELECT {_NEXT}, pos.n + (NOT hit.rolled OR $9)::int"
    f" FROM walk pos{_STEP} WHERE pos.n < $4)"
    f" SELECT w.name, w.rolled, {_ENTRY} FROM walk w"
    " LEFT JOIN store.object o ON o.id = w.id AND NOT w.rolled"
    " LEFT JOIN store.version v ON v.serial = o.cur"
    " LEFT JOIN store.map m ON m.id = v.map_id"
    " WHERE $9 OR NOT w.rolled ORDER BY w.name LIMIT $4",
)


def statement(container_id: int, query: Query) -> tuple[Statement, tuple[object, ...]]:
    """What to run for ``query``, with its parameters."""
    first, last = _bounds(query)
    if not query.delimiter:
        return FLAT, (container_id, first, last, query.limit)
    return ROLLED, (
        container_id,
        first,
        last,
        query.limit,
        query.delimiter,
        len(query.prefix),
        _successor(query.delimiter[-1]),
        query.markers,
        query.rolled,
    )


def listing(rows: list[Row]) -> Listing:
    """The rows of `statement`."""
    return [_entry(row) for row in rows]


def _entry(row: Row) -> Entry | Rolled:
    if row[1]:
        return Rolled(row[0])
    return Entry(
        name=row[0],
        serial=row[2],
        uuid=row[3],
        size=row[4],
        ctype=row[5],
        root=row[6],
        md5=row[7],
        mtime=row[8],
        modified_by=row[9],
    )


def _bounds(query: Query) -> tuple[str, str]:
    """The first name that may be listed, and the first beyond."""
    first, last = query.prefix, _beyond(query.prefix)
    if query.after:
        first = max(first, _behind(query))
    if query.before:
        last = min(last, query.before)
    return first, last


def _behind(query: Query) -> str:
    """The least name that comes after ``query.after`` in this listing."""
    after, start = query.after, len(query.prefix)
    if query.delimiter and after.startswith(query.prefix):
        at = after.find(query.delimiter, start)
        if at >= 0:
            head = after[: at + len(query.delimiter)]
            return head[:-1] + _successor(head[-1])
    return after + "\x01"


def _beyond(prefix: str) -> str:
    """A bound above every name that starts with ``prefix``."""
    trimmed = prefix.rstrip(_LAST)
    if not trimmed:
        return _LAST * (MAX_OBJECT + 1)
    return trimmed[:-1] + _successor(trimmed[-1])


def _successor(char: str) -> str:
    """The next character in the order of UTF-8 bytes."""
    code = ord(char) + 1
    return _LAST * 2 if code > 0x10FFFF else chr(0xE000 if code == 0xD800 else code)
