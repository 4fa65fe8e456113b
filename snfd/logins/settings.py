"""Login methods as the configuration describes them: ``[[login]]`` tables."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from snfd.errors import Invalid
from snfd.logins.model import Method, Policies
from snfd.wanted import explained

Field = Literal["email", "first_name", "last_name", "affiliation"]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


class LoginTable(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every method understands; each kind adds its own.

    :ivar name: its place in URLs; the kind, unless there are two of it.
    :ivar title: what people call it; the name, unless given.
    :ivar attributes: field → the method's word for it.
    :ivar forced: fields that only the method may change; they follow it at
        every login.
    :ivar groups: the method's group → ours; people are put in and out of these
        as it says, and of no others.
    """

    kind: str
    name: Name | None = None
    title: str = ""
    login: bool = True
    create: bool = True
    add: bool = True
    remove: bool = True
    limit: Annotated[int, Meta(ge=0, le=100)] = 1
    switch: bool = True
    required: bool = False
    automoderate: bool = False
    autoverify: bool = False
    creation_groups: list[str] = []
    add_groups: list[str] = []
    attributes: dict[Field, str] = {}
    forced: list[Field] = []
    groups: dict[str, str] = {}

    @property
    def method(self) -> Method:
        """The method that this table describes."""
        name = self.name or self.kind
        policies = Policies(
            self.login,
            self.create,
            self.add,
            self.remove,
            self.limit,
            self.switch,
            self.required,
            self.automoderate,
            self.autoverify,
            tuple(self.creation_groups),
            tuple(self.add_groups),
        )
        return Method(name, self.title or name, policies, frozenset(self.forced))


Table = TypeVar("Table", bound=LoginTable)


def parsed(given: Mapping[str, Any], kind: type[Table]) -> Table:
    """A table as ``kind``.

    :raises Invalid: a key that is not known, with the nearest that is; or a
        value of the wrong type.
    """
    name = given.get("name") or given.get("kind")
    known = [one.name for one in msgspec.structs.fields(kind)]
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, 1, 0.4)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise Invalid(f"unknown setting {key} of login {name}{hint}")
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"login {name}: {explained(error, kind)}") from None


def secret(value: str, file: str, what: str) -> str:
    """A secret that stands in the configuration, or in a file of its own.

    :raises Invalid: both are given, or the file cannot be read.
    """
    if value and file:
        raise Invalid(f"{what} is given twice: itself, and in a file")
    if not file:
        return value
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {what} in {file}: {error}") from None
