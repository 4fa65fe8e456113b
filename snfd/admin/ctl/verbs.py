"""What a verb of ``snfctl`` is: an operation of the admin API with words around.

Nouns are tables of these values; `snfd.admin.ctl.commands` makes commands of
them, and tests compare them with the API's OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from re import findall
from typing import Any

import click
from attrs import field, frozen

from snfd.errors import Invalid
from snfd.quota import units


class Amount(click.ParamType):  # type: ignore[type-arg]
    """A quantity with a unit."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """``value`` as a number."""
        if isinstance(value, int):
            return value
        try:
            return units.parse(value)
        except Invalid as error:
            self.fail(error.message, param, ctx)


AMOUNT = Amount()
COUNT = click.IntRange(0)


@frozen
class Param:
    """One argument or option.

    :ivar name: of the field in path, query string or body, with underscores; the
        option is ``spelled`` like it, with hyphens, if nothing else is said.
    :ivar kind: a click type; None for a flag.
    :ivar many: whether it may be given again and again.
    :ivar metavar: what stands for the value in ``--help``.
    :ivar shape: makes of the values what the API takes; None for as they are.
    """

    name: str
    help: str
    kind: Any = click.STRING
    many: bool = False
    required: bool = False
    metavar: str | None = None
    shape: Any = None
    spelled: str = ""

    @property
    def option(self) -> str:
        """How it is spelled."""
        return "--" + (self.spelled or self.name).replace("_", "-")

    @property
    def shown(self) -> str:
        """What stands for an argument in texts."""
        return self.metavar or self.name.upper()


def flag(name: str, text: str) -> Param:
    """Something that is either said or not."""
    return Param(name, text, None)


def choice(name: str, text: str, *words: str, required: bool = False) -> Param:
    """One of a few words."""
    return Param(name, text, click.Choice(words), required=required)


def yes_no(name: str, text: str) -> Param:
    """``--name yes`` or ``--name no``."""
    return Param(name, text, click.BOOL, metavar="yes|no")


def limit_option(*, required: bool = False) -> Param:
    """Limits of resources, as projects take them."""
    return Param(
        "limits",
        "What is granted of a resource: to each member, and to all together; with"
        " units K M G T, or inf. Repeatable.",
        (str, AMOUNT, AMOUNT),
        many=True,
        required=required,
        metavar="RESOURCE MEMBER PROJECT",
        shape=_limits,
        spelled="limit",
    )


def _limits(given: Sequence[tuple[str, int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"member": member, "project": whole} for name, member, whole in given}


@frozen
class Verb:
    """One command.

    :ivar method: HTTP method; :ivar path: below ``/admin/v1``, ``/users/{user}``.
    :ivar help: one sentence, then what else is worth knowing.
    :ivar example: what follows ``snfctl``.
    :ivar arguments: in order; those that the path does not hold go with the
        options, into the query string of GET and DELETE, else into the body.
    :ivar columns: what a table shows of each item.
    :ivar parts: fields of a single thing that are tables of their own, each
        with its columns.
    :ivar warning: what to confirm before it is done; empty for nothing.
    :ivar asks: a password's field: asked for at the terminal, or read from
        standard input, or else made by the cloud.
    :ivar findings: whether what it lists is bad news, told by the exit status.
    :ivar run: what does it instead of one request; see `commands.Runner`.
    """

    name: str
    method: str
    path: str
    help: str
    example: str
    arguments: Sequence[Param] = ()
    options: Sequence[Param] = ()
    columns: Sequence[str] = ()
    parts: Mapping[str, Sequence[str]] = field(factory=dict)
    warning: str = ""
    asks: str = ""
    findings: bool = False
    run: Any = None

    def line(self, noun: str) -> str:
        """The example, as it is typed."""
        return f"snfctl {noun} {self.name} {self.example}".rstrip()

    @property
    def lists(self) -> bool:
        """Whether it gives a list, in pages."""
        return bool(self.columns) and self.method == "GET"

    @property
    def segments(self) -> frozenset[str]:
        """The fields that the path holds."""
        return frozenset(findall(r"{(\w+)}", self.path))

    @property
    def sent(self) -> Sequence[Param]:
        """What goes into the query string or the body."""
        every = (*self.arguments, *self.options)
        sent = [one for one in every if one.name not in self.segments]
        return [*sent, Param(self.asks, "")] if self.asks else sent

    @property
    def takes_body(self) -> bool:
        """Whether its request has a body, be it empty."""
        return self.method not in ("GET", "DELETE") and bool(self.sent)


@frozen
class Noun:
    """What verbs are about."""

    name: str
    help: str
    verbs: Sequence[Verb]
