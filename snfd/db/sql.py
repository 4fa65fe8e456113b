"""Parts of statements that are made of columns' names; values stay parameters.

The names are this program's own, never a client's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def row_of(names: Iterable[str]) -> str:
    """``(a, b) VALUES (%(a)s, %(b)s)``, as an INSERT has it."""
    columns = list(names)
    marks = ", ".join(f"%({name})s" for name in columns)
    return f"({', '.join(columns)}) VALUES ({marks})"


def changes_to(names: Iterable[str], casts: Mapping[str, str] | None = None) -> str:
    """``a = %(a)s, b = %(b)s``, as an UPDATE has it.

    :param casts: types of columns that must be told, such as ``inet[]``.
    """
    types = casts or {}
    return ", ".join(
        f"{name} = %({name})s" + (f"::{types[name]}" if name in types else "")
        for name in names
    )
