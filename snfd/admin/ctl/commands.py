"""Makes click commands of the tables of verbs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import click
from attrs import field, frozen

from snfd.admin.ctl.client import Client, over_socket, segment
from snfd.admin.ctl.output import FORMS, Look, say
from snfd.admin.ctl.problems import FINDINGS, MEANINGS, Problem
from snfd.admin.ctl.verbs import Noun, Param, Verb
from snfd.loading import Loaded, load
from snfd.quota.units import STYLES

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
DIRECT = frozenset(("yes", "ask_password", "password_stdin"))
LOOKS = frozenset(("output", "columns", "filters", "no_headers", "units", "most"))


@frozen
class Chosen:
    """What the options before the noun said.

    :ivar file: the daemon's configuration; None for none.
    :ivar cloud: whose admin API to use; empty for the local daemon's.
    """

    file: Path | None = None
    cloud: str = ""
    environment: Mapping[str, str] = field(factory=dict)

    def loaded(self) -> Loaded:
        """The daemon's configuration.

        :raises Invalid: it is wrong.
        """
        return load(self.file, self.environment, {})

    def client(self) -> Client:
        """What talks to the admin API.

        :raises Problem: there is no such cloud, or it does not let us in.
        """
        var = Path(self.loaded().config.var)
        if self.cloud:
            from snfd.admin.ctl import clouds

            return clouds.log_in(self.cloud, clouds.places(var))
        return over_socket(var)


@frozen
class Run:
    """One call of a verb.

    :ivar values: of arguments and options, as click gives them.
    """

    verb: Verb
    client: Client
    look: Look
    values: Mapping[str, Any]
    most: int | None = None

    def path(self) -> str:
        """Where the request goes."""
        names = self.verb.segments
        return self.verb.path.format(
            **{name: segment(self.values[name]) for name in names}
        )

    def fields(self) -> dict[str, Any]:
        """What goes into the query string or the body."""
        sent: dict[str, Any] = {}
        for one in self.verb.sent:
            value = self.values.get(one.name)
            if value is None or value == () or (one.kind is None and not value):
                continue
            if one.many:
                value = list(value)
            sent[one.name] = one.shape(value) if one.shape else value
        return sent

    def send(self) -> Any:
        """Make the one request of a verb that is no list."""
        verb, fields = self.verb, self.fields()
        if verb.method in ("GET", "DELETE"):
            return self.client.call(verb.method, self.path(), fields)
        body = fields if verb.takes_body else None
        return self.client.call(verb.method, self.path(), None, body)

    def items(self) -> list[Any]:
        """Everything of a list, as far as it was asked for."""
        found = self.client.items(self.path(), self.fields())
        return list(islice(found, self.most))


def group(noun: Noun) -> click.Group:
    """The commands of one noun."""
    made = click.Group(noun.name, help=noun.help, context_settings=SETTINGS)
    for verb in noun.verbs:
        made.add_command(_command(noun, verb))
    return made


def exit_statuses() -> str:
    """The end of ``snfctl --help``."""
    lines = "\n".join(f"  {code:>3}  {text}" for code, text in MEANINGS.items())
    return f"\b\nExit status:\n{lines}"


def _command(noun: Noun, verb: Verb) -> click.Command:
    def callback(**values: Any) -> None:
        _perform(verb, click.get_current_context().obj, values)

    params: list[click.Parameter] = [_argument(one) for one in verb.arguments]
    params += [_option(one) for one in verb.options]
    params += _secret_options(verb)
    if verb.warning:
        params.append(
            click.Option(["--yes", "-y"], is_flag=True, help="Do not ask again.")
        )
    params += _look_options(verb)
    return click.Command(
        verb.name,
        params=params,
        callback=callback,
        help=_help(verb),
        short_help=verb.help.split("\n")[0],
        epilog=f"\b\nExample:\n  {verb.line(noun.name)}",
        context_settings=SETTINGS,
    )


def _help(verb: Verb) -> str:
    told = [
        f"  {one.metavar or one.name.upper()}: {one.help}" for one in verb.arguments
    ]
    return verb.help + ("\n\n\b\n" + "\n".join(told) if told else "")


def _argument(one: Param) -> click.Argument:
    return click.Argument(
        [one.name],
        type=one.kind,
        nargs=-1 if one.many else 1,
        required=one.required or not one.many,
        metavar=one.shown,
    )


def _option(one: Param) -> click.Option:
    if one.kind is None:
        return click.Option([one.option, one.name], is_flag=True, help=one.help)
    nargs = len(one.kind) if isinstance(one.kind, tuple) else 1
    return click.Option(
        [one.option, one.name],
        type=one.kind,
        nargs=nargs,
        multiple=one.many,
        required=one.required,
        metavar=one.metavar,
        help=one.help,
    )


def _secret_options(verb: Verb) -> list[click.Parameter]:
    if not verb.asks:
        return []
    return [
        click.Option(
            ["--ask-password"],
            is_flag=True,
            help="Ask for the password here.",
        ),
        click.Option(
            ["--password-stdin"],
            is_flag=True,
            help="Read the password from the first line of standard input.",
        ),
    ]


def _look_options(verb: Verb) -> list[click.Parameter]:
    options: list[click.Parameter] = [
        click.Option(
            ["--output", "-o"],
            type=click.Choice(FORMS),
            default="table",
            envvar="SNFCTL_OUTPUT",
            show_default=True,
            help="Form of what is printed.",
        ),
        click.Option(
            ["--columns", "-c"],
            metavar="A,B",
            help="Columns, or fields, to print; 'all' for every one.",
        ),
        click.Option(["--no-headers"], is_flag=True, help="Leave out the first line."),
        click.Option(
            ["--units"],
            type=click.Choice(STYLES),
            default="auto",
            help="How amounts of bytes are shown in tables.",
        ),
    ]
    if verb.lists:
        options += [
            click.Option(
                ["--filter", "-f", "filters"],
                multiple=True,
                metavar="A=B",
                help="Only what matches: = != < <= > >=, ~ for 'contains'; repeatable.",
            ),
            click.Option(
                ["--most"], type=click.IntRange(1), help="Stop after so many."
            ),
        ]
    return options


def _perform(verb: Verb, chosen: Chosen, values: Mapping[str, Any]) -> None:
    told = {k: v for k, v in values.items() if k not in DIRECT | LOOKS}
    look = _look(values)
    _secret(verb, values, told)
    if verb.warning and not values["yes"]:
        _confirm(verb.warning.format(**told))
    run = Run(verb, chosen.client(), look, told, values.get("most"))
    if verb.run is not None:
        verb.run(run)
        return
    if verb.lists:
        items: Sequence[Any] = run.items()
        say(look.listed(items, verb.columns))
    else:
        items = _answer(run)
    if verb.findings and items:
        raise Problem(FINDINGS, f"{len(items)} finding(s)")


def _answer(run: Run) -> Sequence[Any]:
    """Print the answer to a request that is no list; its findings, if any."""
    found = run.send()
    if isinstance(found, Mapping) and found.keys() >= {"items", "next"}:
        items: Sequence[Any] = found["items"]
        say(run.look.listed(items, run.verb.columns))
        fixed = found.get("fixed", 0)
        if fixed:
            click.echo(f"{fixed} put right", err=True)
        return items[fixed:]
    if found is not None:
        say(run.look.one(found, run.verb.parts))
    elif run.look.for_people:
        click.echo("done")
    return ()


def _look(values: Mapping[str, Any]) -> Look:
    columns = values["columns"]
    return Look(
        values["output"],
        None if columns is None else [one.strip() for one in columns.split(",")],
        values.get("filters") or (),
        not values["no_headers"],
        values["units"],
    )


def _secret(verb: Verb, values: Mapping[str, Any], told: dict[str, Any]) -> None:
    """Put a password among the fields, if one is given; never from the words."""
    if not verb.asks:
        return
    if values["password_stdin"] and values["ask_password"]:
        raise click.UsageError("--ask-password or --password-stdin, not both")
    if values["password_stdin"]:
        told[verb.asks] = sys.stdin.readline().rstrip("\r\n")
    elif values["ask_password"]:
        if not sys.stdin.isatty():
            raise click.UsageError("no terminal to ask on; use --password-stdin")
        told[verb.asks] = click.prompt(
            "Password", hide_input=True, confirmation_prompt=True, err=True
        )


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes if you mean it.")
    click.confirm(question, abort=True, err=True)
