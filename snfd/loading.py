"""Reads a configuration and knows where each value came from.

Order of authority: an ``SNFD_*`` variable, the TOML file, the default. In a variable
a list is written with commas, or as JSON where its items have commas themselves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from attrs import frozen
from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

from snfd.config import ClusterSection, Config, Section
from snfd.errors import Invalid
from snfd.wanted import explained

SECRETS = frozenset({"dsn", "password", "token"})
PREFIX = "SNFD_"
NOT_OURS = "SNFD_TEST_"
"""Variables of the tests; no settings."""


@frozen
class Loaded:
    """A configuration and where each of its values came from.

    :ivar origins: dotted name → ``default``, a file's name, or a variable.
    """

    config: Config
    origins: Mapping[str, str]

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """(name, value, origin) of every value; secrets are not shown."""
        for name, value in _values(self.config):
            hidden = value != "" and name.rpartition(".")[2] in SECRETS
            origin = self.origins.get(name, "default")
            yield name, "(hidden)" if hidden else _text(value), origin


def load(
    file: Path | None, environment: Mapping[str, str], overrides: Mapping[str, Any]
) -> Loaded:
    """Read the configuration.

    :param overrides: dotted names and values of the command line's options.
    :raises Invalid: the file is no TOML, a setting or a variable is unknown, or
        a value is wrong.
    """
    given: dict[str, Any] = {}
    if file is not None:
        given = _parsed(file)
    _refuse_unknown(given, Config, "")
    origins = {name: str(file) for name in _names(given)}
    variables = {variable: (name, kind) for name, variable, kind in _variables(Config)}
    for variable, text in environment.items():
        if variable in variables:
            name, kind = variables[variable]
            _put(given, name, _from_text(text, kind, variable))
            origins[name] = variable
        elif variable.startswith(PREFIX) and not variable.startswith(NOT_OURS):
            near = get_close_matches(variable, variables, 1, 0.4)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise Invalid(f"unknown variable {variable}{hint}")
    for name, value in overrides.items():
        _put(given, name, value)
        origins[name] = "command line"
    try:
        config = msgspec.convert(given, Config)
    except msgspec.ValidationError as error:
        where = file or "configuration"
        raise Invalid(f"{where}: {explained(error, Config)}") from None
    _check_dsn(config.database.dsn)
    return Loaded(config, origins)


def _check_dsn(dsn: str) -> None:
    """Refuse what libpq would, without repeating it: it may hold a password."""
    try:
        if dsn:
            parse_dsn(dsn)
    except ProgrammingError:
        raise Invalid(
            "database.dsn is no connection string of PostgreSQL's, such as"
            " 'host=/run/postgresql dbname=snfd user=snfd'"
        ) from None


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{file}: {error}") from None


def _refuse_unknown(given: Mapping[str, Any], kind: Any, where: str) -> None:
    known = {one.name: one.type for one in msgspec.structs.fields(kind)}
    for key, value in given.items():
        if key not in known:
            near = get_close_matches(key, known, 1, 0.4)
            hint = f"; did you mean {where}{near[0]}?" if near else ""
            raise Invalid(f"unknown setting {where}{key}{hint}")
        if isinstance(value, Mapping) and _is_section(known[key]):
            _refuse_unknown(value, known[key], f"{where}{key}.")
        elif isinstance(value, list) and key == "cluster":
            for one in value:
                _refuse_unknown(one, ClusterSection, f"{where}{key}.")


def _variables(kind: Any, where: str = "") -> Iterator[tuple[str, str, Any]]:
    for one in msgspec.structs.fields(kind):
        name = f"{where}{one.name}"
        if _is_section(one.type):
            yield from _variables(one.type, f"{name}.")
        else:
            yield name, PREFIX + name.replace(".", "_").upper(), one.type


def _from_text(text: str, kind: Any, variable: str) -> Any:
    value: Any = text
    if str(kind).startswith("list[") and text.lstrip().startswith("["):
        value = _list(text, variable)
    elif str(kind).startswith("list["):
        value = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{variable}: {explained(error, kind)}") from None


def _list(text: str, variable: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Invalid(f"{variable}: {error}") from None


def _put(given: dict[str, Any], name: str, value: Any) -> None:
    *sections, last = name.split(".")
    for section in sections:
        given = given.setdefault(section, {})
    given[last] = value


def _names(given: Mapping[str, Any], where: str = "") -> Iterator[str]:
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from _names(value, f"{where}{key}.")
        else:
            yield f"{where}{key}"


def _values(section: Section, where: str = "") -> Iterator[tuple[str, Any]]:
    for one in msgspec.structs.fields(section):
        value = getattr(section, one.name)
        if isinstance(value, Section):
            yield from _values(value, f"{where}{one.name}.")
        else:
            yield f"{where}{one.name}", value


def _text(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], ClusterSection):
        return ", ".join(one.name for one in value)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        # login methods; their tables may hold secrets
        return ", ".join(str(one.get("name", one.get("kind", "?"))) for one in value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)
