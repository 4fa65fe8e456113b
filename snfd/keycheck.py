"""Whether the key file is the one with which a database was sealed.

A daemon that made itself a new key for an old database would run, and everything
that was sealed before would be lost without a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from twisted.logger import Logger

from snfd.db.direct import DirectTransaction, connect, finish
from snfd.db.port import Transaction
from snfd.errors import Unavailable
from snfd.sealed import (
    KEY_CHECK,
    LOGIN_PASSWORD,
    MAIL,
    SEALED,
    WAITING_PASSWORD,
    Column,
)
from snfd.secrets import KeyFileError, KeyRing, add_key, load, load_or_create

_log = Logger(namespace="snfd.keycheck")
_WORD = b"snfd"
FLAG = "--abandon-lost-key"
"""Of the daemon's command line: what cannot be opened any more is given up."""

_FORGETTING: Mapping[Column, str] = {
    LOGIN_PASSWORD: "DELETE FROM compute.server_password t WHERE {lost}",
    WAITING_PASSWORD: ("UPDATE compute.server t SET new_password = NULL WHERE {lost}"),
    MAIL: (
        "UPDATE ops.mail t SET words = NULL, state = 'failed', finished = now(),"
        " last_error = 'its key was lost' WHERE {lost}"
    ),
}
"""How to be rid of what cannot be opened, where nobody can give it anew."""


def ring_for(path: Path, dsn: str, *, abandon: bool = False) -> KeyRing:
    """The key ring in ``path``, which is made where nothing was sealed yet. Blocks.

    :param abandon: go on with a new key where the old one is lost. Login passwords
        and letters that cannot be opened are forgotten. What can be given anew
        stays as it is: passwords of clusters, and one-time codes.
    :raises KeyFileError: the file is missing, or another, and the database holds
        values that it would open; or as `snfd.secrets.load`.
    :raises psycopg2.Error: PostgreSQL is away.
    """
    ring = load(path) if path.exists() else None
    with closing(connect(dsn)) as connection, connection:
        return finish(_ring(DirectTransaction(connection), path, ring, abandon))


async def insist(tx: Transaction, path: Path, ring: KeyRing | None) -> None:
    """Change nothing; before the first start, any key file or none is right.

    :param ring: what is in ``path``; None if nothing is there.
    :raises KeyFileError: as `ring_for`.
    """
    if ring and await _known(tx, ring):
        return
    lost = await unopenable(tx, ring.idents() if ring else [])
    if lost:
        raise KeyFileError(_refusal(path, ring, lost))


async def unopenable(
    tx: Transaction, idents: Sequence[bytes]
) -> Mapping[Column, tuple[int, int]]:
    """Of each column with values under other keys: how many, and of how many."""
    found = {}
    for column in SEALED:
        row = await tx.row(
            f"SELECT count(*) FILTER (WHERE {_lost(column)}), count(t.{column.name})"
            f" FROM {column.table} t",
            {"idents": list(idents)},
        )
        assert row is not None
        if row[0]:
            found[column] = (row[0], row[1])
    return found


def _lost(column: Column) -> str:
    ident = f"substring(t.{column.name} FROM 2 FOR 8)"
    return f"t.{column.name} IS NOT NULL AND {ident} <> ALL(%(idents)s::bytea[])"


async def _ring(
    tx: Transaction, path: Path, ring: KeyRing | None, abandon: bool
) -> KeyRing:
    # two first starts at once: the later one finds the other's
    await tx.execute(f"LOCK TABLE {KEY_CHECK.table} IN EXCLUSIVE MODE")
    if ring and await _known(tx, ring):
        return ring
    lost = await unopenable(tx, ring.idents() if ring else [])
    if lost and not abandon:
        raise KeyFileError(_refusal(path, ring, lost))
    if lost:
        _log.warn("what a lost key sealed is abandoned: {what}", what=_counted(lost))
        ring = add_key(path) if ring else None
    ring = ring or load_or_create(path)
    await _forget(tx, ring)
    await _seal(tx, ring)
    return ring


def _refusal(
    path: Path, ring: KeyRing | None, lost: Mapping[Column, tuple[int, int]]
) -> str:
    if ring is None:
        why = f"there is no key file {path}, but the database holds sealed values"
    else:
        why = f"{path} is not the key file of this database: it opens not all there"
    return (
        f"{why} ({_counted(lost)}); put the right one back, or if that is lost for"
        f" good, start once with {FLAG}"
    )


async def _forget(tx: Transaction, ring: KeyRing) -> None:
    for column, sql in _FORGETTING.items():
        await tx.execute(sql.format(lost=_lost(column)), {"idents": ring.idents()})


async def _known(tx: Transaction, ring: KeyRing) -> bool:
    """Whether it opens the check."""
    row = await tx.row(f"SELECT {KEY_CHECK.name} FROM {KEY_CHECK.table}")
    try:
        return row is not None and ring.open(bytes(row[0]), *KEY_CHECK.at(1)) == _WORD
    except Unavailable:
        return False


async def _seal(tx: Transaction, ring: KeyRing) -> None:
    await tx.execute(
        f"INSERT INTO {KEY_CHECK.table} AS t ({KEY_CHECK.name}) VALUES (%s)"
        f" ON CONFLICT (id) DO UPDATE SET {KEY_CHECK.name} = excluded.sealed",
        (ring.seal(_WORD, *KEY_CHECK.at(1)),),
    )


def _counted(lost: Mapping[Column, tuple[int, int]]) -> str:
    told = [f"{count} in {one.table}" for one, (count, _) in lost.items()]
    return ", ".join(told)
