"""The embedded PostgreSQL of a daemon, as another process reaches it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from psycopg2.extensions import make_dsn

from snfd.db.embedded import NAME
from snfd.db.place import decide, installed


def embedded_dsn(var: Path) -> str | None:
    """The DSN of the one below ``var``; None if no daemon made one there.

    :raises PlaceError: its data cannot be used by us.
    """
    try:
        known = tomllib.loads((var / "secrets").read_text())
    except (OSError, tomllib.TOMLDecodeError):
        return None
    password = known.get("postgresql_password")
    if not isinstance(password, str):
        return None
    place = decide(var, installed())
    return make_dsn(dbname=NAME, user=NAME, host=str(place.sockets), password=password)
