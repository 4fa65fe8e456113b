"""Prints what the cloud answered: for people, or for programs."""

from __future__ import annotations

import csv
import io
import json
import operator
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from re import fullmatch, sub
from typing import Any

import click
from attrs import frozen

from snfd.admin.ctl.problems import USAGE, Problem
from snfd.errors import Invalid
from snfd.quota import units

FORMS = ("table", "json", "csv", "yaml")
WIDE = 500
"""Columns of a table that goes into a pipe or a file."""

Item = Mapping[str, Any]

_FRACTION = r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+(?=Z$)"

_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "~": lambda have, want: str(want) in str(have),
}

NUMBERS = ("id", "serial")
"""Fields that name something, and measure nothing, whatever the unit of others."""


@frozen
class Look:
    """How to print.

    :ivar form: one of `FORMS`.
    :ivar columns: None for those that suit the form.
    :ivar filters: ``column=value`` and the like; all must hold.
    """

    form: str = "table"
    columns: Sequence[str] | None = None
    filters: Sequence[str] = ()
    headers: bool = True
    units: str = "auto"

    @property
    def for_people(self) -> bool:
        """Whether tables are wanted."""
        return self.form == "table"

    def listed(self, items: Sequence[Item], usual: Sequence[str]) -> str:
        """A list as text.

        :param usual: the columns of a table where none are asked for.
        :raises Problem: a column or a filter does not fit.
        """
        kept = [item for item in items if self._keeps(item)]
        every = list(kept[0]) if kept else list(self.columns or usual)
        wanted = self._wanted(every, usual)
        if self.form == "json":
            return _json([_only(item, wanted) for item in kept])
        if self.form == "yaml":
            return _yaml([_only(item, wanted) for item in kept])
        rows = [[self._cell(item, name) for name in wanted] for item in kept]
        if self.form == "csv":
            return _csv([list(wanted), *rows] if self.headers else rows)
        return _table(wanted if self.headers else None, rows, len(wanted))

    def one(self, item: Item, parts: Mapping[str, Sequence[str]]) -> str:
        """A single thing as text.

        :param parts: fields that are tables of their own, with their columns.
        """
        wanted = self._wanted(list(item), list(item))
        if self.form == "json":
            return _json(_only(item, wanted))
        if self.form == "yaml":
            return _yaml(_only(item, wanted))
        plain = [name for name in wanted if name not in parts]
        if self.form == "csv":
            cells = [self._cell(item, name) for name in plain]
            return _csv([plain, cells] if self.headers else [cells])
        text = _table(
            None, [line for name in plain for line in self._lines(item, name)], 2
        )
        for name in wanted:
            if name in parts and item[name]:
                text += f"\n{name}:\n" + Look(units=self.units).listed(
                    item[name], parts[name]
                )
        return text

    def _lines(self, item: Item, name: str) -> Iterator[list[str]]:
        """A field as lines of a table: one, or one for each group of facts in it."""
        for path, facts in _groups(name, item[name]):
            unit = facts.get("unit")
            unit = unit if isinstance(unit, str) else None
            yield [path, _cell(facts, unit, self.units)]
        if not _nested(item[name]):
            yield [name, self._cell(item, name)]

    def _wanted(self, every: Sequence[str], usual: Sequence[str]) -> Sequence[str]:
        chosen = self.columns
        if chosen is None:
            return usual if self.form in ("table", "csv") else every
        if list(chosen) == ["all"]:
            return every
        unknown = [name for name in chosen if name not in every]
        if unknown:
            raise Problem(
                USAGE, f"no column {unknown[0]}; there are: {', '.join(every)}"
            )
        return chosen

    def _keeps(self, item: Item) -> bool:
        return all(_holds(item, text) for text in self.filters)

    def _cell(self, item: Item, name: str) -> str:
        value = item.get(name)
        if self.form == "csv" and isinstance(value, bool):
            return str(value).lower()
        if self.form == "csv" and isinstance(value, int) and self.units == "auto":
            return str(value)
        unit = None if name in NUMBERS else item.get("unit")
        if self.for_people and isinstance(value, str):
            value = sub(_FRACTION, r"\1", value)
        return _cell(value, unit if isinstance(unit, str) else None, self.units)


def _holds(item: Item, text: str) -> bool:
    """Whether a filter holds for ``item``."""
    parts = fullmatch(r"(\w+)(!=|<=|>=|=|<|>|~)(.*)", text)
    if parts is None:
        raise Problem(
            USAGE,
            f"{text!r} is no filter",
            "write column=value; also != < <= > >=, and ~ for 'contains'",
        )
    name, test, wanted = parts.groups()
    if name not in item:
        raise Problem(USAGE, f"no column {name}; there are: {', '.join(item)}")
    have, want = _comparable(item[name], wanted)
    return _TESTS[test](have, want)


def _comparable(have: Any, wanted: str) -> tuple[Any, Any]:
    if isinstance(have, bool):
        return have, wanted.lower() in ("yes", "true", "1")
    if isinstance(have, int):
        try:
            return have, units.parse(wanted)
        except Invalid:
            raise Problem(USAGE, f"{wanted!r} is no number") from None
    return _cell(have, None, "none"), wanted


def _cell(value: Any, unit: str | None, style: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return units.shown(value, unit, style)
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={_cell(v, unit, style)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_cell(one, unit, style) for one in value)
    return str(value)


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping) and any(
        isinstance(one, Mapping) for one in value.values()
    )


def _groups(path: str, value: Any) -> Iterator[tuple[str, Item]]:
    """The innermost mappings of one that holds some, and the ways to them."""
    if _nested(value):
        for name, one in value.items():
            yield from _groups(f"{path} {name}", one)
        loose = {n: v for n, v in value.items() if not isinstance(v, Mapping)}
        if loose:
            yield path, loose
    elif isinstance(value, Mapping) and " " in path:
        yield path, value


def _only(item: Item, names: Sequence[str]) -> dict[str, Any]:
    return {name: item.get(name) for name in names}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return text


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _table(
    headers: Sequence[str] | None, rows: Sequence[Sequence[str]], width: int
) -> str:
    """Aligned columns; what is too wide for a terminal is folded."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=headers is not None, pad_edge=False)
    for at in range(width):
        table.add_column(headers[at] if headers else "", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    terminal = sys.stdout.isatty()
    out = io.StringIO()
    console = Console(
        file=out,
        width=None if terminal else WIDE,
        force_terminal=terminal,
        highlight=False,
    )
    console.print(table)
    lines = (line.rstrip() for line in out.getvalue().splitlines())
    return "".join(line + "\n" for line in lines)


def _printable(text: str) -> str:
    """``text`` without what would move a terminal's cursor."""
    return "".join(c if c.isprintable() else "�" for c in text)


def say(text: str) -> None:
    """Print what `Look` made."""
    click.echo(text, nl=False)
