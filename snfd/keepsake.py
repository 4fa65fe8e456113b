"""Generated values that must be the same at the next start, in a private file."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

from snfd.errors import Invalid


def keepsake(path: Path, name: str, make: Callable[[], str]) -> tuple[str, bool]:
    """The value called ``name`` in ``path``, made now where there is none.

    :return: the value, and whether it is new.
    :raises Invalid: the file is open to others, or is no TOML.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise Invalid(f"{path} is open to others; run: chmod 600 {path}")
        file.seek(0)
        try:
            known = tomllib.loads(file.read(65536)).get(name)
        except tomllib.TOMLDecodeError as error:
            raise Invalid(f"{path} is damaged: {error}") from error
        if isinstance(known, str):
            return known, False
        value = make()
        file.write(f'{name} = "{value}"\n')
        file.flush()
        os.fsync(file.fileno())
    return value, True
