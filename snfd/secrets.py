"""Seals what must be read back but not be readable in the database.

AES-256-GCM under a key that is only in a file; table, column and row are
authenticated with the value, so a sealed value is good only where it was put.
"""

from __future__ import annotations

import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from attrs import define, field, frozen
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from twisted.logger import Logger

from snfd import private
from snfd.db.direct import DirectTransaction, connect, finish
from snfd.db.port import Transaction
from snfd.errors import Unavailable
from snfd.sealed import SEALED, Column

_log = Logger(namespace="snfd.secrets")
_VERSION = b"\x01"
_KEY, _ID, _NONCE = 32, 8, 12
_HEADER = "# snfd keys: the first one seals, all of them open. Keep it secret.\n"


class KeyFileError(Exception):
    """The key file is missing, open to others, or not what it should be."""


@frozen
class _Key:
    secret: bytes = field(repr=False)

    @property
    def ident(self) -> bytes:
        return sha256(b"snfd key " + self.secret).digest()[:_ID]


@define(eq=False)
class KeyRing:
    """The keys of one deployment: the first seals, all open.

    :param reload: reads the keys again when a value turns up that none of
        these opens, since another process may have added one.
    :param random: as `os.urandom`.
    """

    _keys: tuple[_Key, ...]
    _reload: Callable[[], tuple[_Key, ...]] | None = None
    _random: Callable[[int], bytes] = os.urandom

    def seal(self, plain: bytes, table: str, column: str, row: str) -> bytes:
        """``plain``, readable only with a key and only for this place."""
        key = self._keys[0]
        nonce = self._random(_NONCE)
        place = _place(table, column, row)
        return (
            _VERSION
            + key.ident
            + nonce
            + AESGCM(key.secret).encrypt(nonce, plain, place)
        )

    def open(self, sealed: bytes, table: str, column: str, row: str) -> bytes:
        """What was sealed for this place.

        :raises Unavailable: no key fits, or the value was changed or moved.
        """
        ident, rest = sealed[1 : 1 + _ID], sealed[1 + _ID :]
        key = self._key(ident)
        if sealed[:1] != _VERSION or key is None:
            raise Unavailable("a stored secret was sealed with a key that is missing")
        nonce, box = rest[:_NONCE], rest[_NONCE:]
        try:
            return AESGCM(key.secret).decrypt(nonce, box, _place(table, column, row))
        except (InvalidTag, ValueError) as error:
            raise Unavailable("a stored secret is damaged or not its own") from error

    def resealed(
        self, sealed: bytes, table: str, column: str, row: str
    ) -> bytes | None:
        """The same under the first key; None where it is so already.

        :raises Unavailable: as `open`.
        """
        if sealed[1 : 1 + _ID] == self._keys[0].ident:
            return None
        return self.seal(self.open(sealed, table, column, row), table, column, row)

    def idents(self) -> list[bytes]:
        """What values that can be opened begin with, behind their first byte."""
        self._reread()
        return [key.ident for key in self._keys]

    def _key(self, ident: bytes) -> _Key | None:
        for key in self._keys:
            if key.ident == ident:
                return key
        self._reread()
        return next((key for key in self._keys if key.ident == ident), None)

    def _reread(self) -> None:
        """Learn of new keys; without the file, those that are known go on."""
        if self._reload is not None:
            try:
                self._keys = self._reload()
            except KeyFileError as error:
                _log.error("no new keys can be read: {why}", why=str(error))


def load(path: Path) -> KeyRing:
    """The key ring in ``path``.

    :raises KeyFileError: it is missing, open to others, or malformed.
    """
    return KeyRing(_read(path), lambda: _read(path))


def load_or_create(path: Path) -> KeyRing:
    """The key ring in ``path``, with one new key where there is no such file.

    :raises KeyFileError: as `load`.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, [new_key()])
    return load(path)


def new_key() -> _Key:
    """A key that is in no file."""
    return _Key(os.urandom(_KEY))


def add_key(path: Path) -> KeyRing:
    """Have a new key in ``path`` seal from now on; the old ones still open.

    Running processes read the file again when they meet a value of the new
    key. Afterwards `reseal` every sealed column, then `forget_old_keys`.

    :raises KeyFileError: as `load`.
    """
    _write(path, [new_key(), *_read(path)])
    return load(path)


def forget_old_keys(path: Path) -> KeyRing:
    """Keep only the first key; what others sealed can never be opened again.

    :raises KeyFileError: as `load`.
    """
    _write(path, _read(path)[:1])
    return load(path)


async def reseal(tx: Transaction, ring: KeyRing, column: Column) -> int:
    """Bring one sealed column under the ring's first key; how many values.

    :raises Unavailable: a value cannot be opened; nothing is changed then.
    """
    found = await tx.rows(
        f"SELECT ({column.row})::text, {column.name} FROM {column.table}"
        f" WHERE {column.name} IS NOT NULL FOR UPDATE"
    )
    changed = 0
    for row, sealed in found:
        try:
            fresh = ring.resealed(sealed, *column.at(row))
        except Unavailable as error:
            where = f"{column.table}, {column.row} = {row}"
            raise Unavailable(f"{where}: {error.message}") from None
        if fresh is not None:
            changed += await tx.execute(
                f"UPDATE {column.table} SET {column.name} = %s"
                f" WHERE ({column.row})::text = %s",
                (fresh, row),
            )
    return changed


def rotate(path: Path, dsn: str, *, forget: bool = False) -> int:
    """Bring all that is sealed under a new key; how many values. Blocks.

    Running daemons go on sealing with the key before until they are started
    again, so the old keys stay. With ``forget``, no key is added: what is left
    is brought under the first one, which then becomes the only one.

    :raises KeyFileError: as `load`.
    :raises Unavailable: a value cannot be opened; then nothing in the database
        was changed and no key forgotten.
    :raises psycopg2.Error: PostgreSQL is away.
    """
    with closing(connect(dsn)) as connection, connection:
        ring = load(path) if forget else add_key(path)
        changed = finish(_reseal_all(DirectTransaction(connection), ring))
    if forget:
        forget_old_keys(path)
    return changed


async def _reseal_all(tx: Transaction, ring: KeyRing) -> int:
    return sum([await reseal(tx, ring, column) for column in SEALED])


def _place(table: str, column: str, row: str) -> bytes:
    return "\0".join((table, column, row)).encode()


def _read(path: Path) -> tuple[_Key, ...]:
    try:
        with path.open() as file:
            found = os.fstat(file.fileno())
            text = file.read(65536)
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from error
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise KeyFileError(f"{path} is open to others; run: chmod 600 {path}")
    lines = [line.strip() for line in text.splitlines()]
    keys = tuple(_parsed(path, line) for line in lines if line and line[0] != "#")
    if not keys:
        raise KeyFileError(f"{path} holds no key")
    return keys


def _parsed(path: Path, line: str) -> _Key:
    try:
        secret = b64decode(line, validate=True)
    except (Base64Error, ValueError) as error:
        raise KeyFileError(f"{path} holds a line that is no key") from error
    if len(secret) != _KEY:
        raise KeyFileError(f"{path} holds a key that is not {_KEY} bytes long")
    return _Key(secret)


def _write(path: Path, keys: Sequence[_Key]) -> None:
    """Replace ``path`` at once and for good."""
    text = _HEADER + "".join(f"{b64encode(key.secret).decode()}\n" for key in keys)
    private.write(path, text)
