"""What outlives the process: jobs, instances, networks, as JSON documents.

Written before a request is answered, so that a killed pocket forgets nothing
it has promised. A write does not wait for the disk (the kernel has it, which
is what a killed process needs); after a power cut the last seconds may be
missing, but the database is whole.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    kind text NOT NULL, name text NOT NULL, body blob NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID
"""


class Store(Protocol):
    """Documents by kind and name."""

    def put(self, kind: str, name: str, document: Any) -> None:
        """Keep ``document``, instead of what was there."""

    def drop(self, kind: str, name: str) -> None:
        """Forget a document; nothing happens if there is none."""

    def load(self, kind: str) -> Iterator[tuple[str, Any]]:
        """All documents of a kind, with their names."""

    def close(self) -> None:
        """Let go of the file."""


class MemoryStore:
    """Keeps documents as long as the process lives."""

    def __init__(self) -> None:
        self._documents: dict[str, dict[str, bytes]] = {}

    def put(self, kind: str, name: str, document: Any) -> None:
        """Keep ``document``, instead of what was there."""
        self._documents.setdefault(kind, {})[name] = msgspec.json.encode(document)

    def drop(self, kind: str, name: str) -> None:
        """Forget a document; nothing happens if there is none."""
        self._documents.get(kind, {}).pop(name, None)

    def load(self, kind: str) -> Iterator[tuple[str, Any]]:
        """All documents of a kind, with their names."""
        for name, body in list(self._documents.get(kind, {}).items()):
            yield name, msgspec.json.decode(body)

    def close(self) -> None:
        """Nothing to let go of."""


class FileStore:
    """Keeps documents in an SQLite file that only its owner can read.

    :param path: the file; made if it is missing.
    :raises OSError: another process has it open, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._file = sqlite3.connect(path, timeout=1, isolation_level=None)
        try:
            self._file.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute(_SCHEMA)
            self._file.execute("PRAGMA user_version=1")
        except sqlite3.Error as error:
            self._file.close()
            raise OSError(f"{path} cannot be used ({error})") from error

    def put(self, kind: str, name: str, document: Any) -> None:
        """Keep ``document``, instead of what was there."""
        self._file.execute(
            "INSERT OR REPLACE INTO document VALUES (?, ?, ?)",
            (kind, name, msgspec.json.encode(document)),
        )

    def drop(self, kind: str, name: str) -> None:
        """Forget a document; nothing happens if there is none."""
        self._file.execute(
            "DELETE FROM document WHERE kind = ? AND name = ?", (kind, name)
        )

    def load(self, kind: str) -> Iterator[tuple[str, Any]]:
        """All documents of a kind, with their names."""
        rows = self._file.execute(
            "SELECT name, body FROM document WHERE kind = ?", (kind,)
        ).fetchall()
        for name, body in rows:
            yield name, msgspec.json.decode(body)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
