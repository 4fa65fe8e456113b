"""The steps that make and guard a data directory; they block."""

from __future__ import annotations

import fcntl
from pathlib import Path
from shutil import rmtree
from typing import IO

from snfd import private
from snfd.db.place import Place, PlaceError, own


def locked(path: Path) -> IO[str]:
    """An open file that no other daemon can lock while we live.

    :raises PlaceError: another one has it.
    """
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise PlaceError(f"another snfd is using {path.parent}") from None
    return file


def fresh(new: Path, told: Path, password: str, place: Place) -> None:
    """An empty directory for initdb, and a file that tells it the password."""
    rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    own(new, place)
    private.write(told, password)
    own(told, place)


def unused(path: Path) -> Path:
    """A name like ``path`` that nothing has yet."""
    number = 1
    while (found := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    return found
