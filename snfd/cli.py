"""``snfctl``: the administrators' command, NOUN VERB.

Its nouns are in `snfd.admin.ctl`: three that work without a daemon, all others
tables of what the admin API does.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from snfd.admin.ctl.commands import SETTINGS, Chosen, exit_statuses, group
from snfd.admin.ctl.nouns import NOUNS
from snfd.admin.ctl.problems import INTERRUPTED, REFUSED, Problem
from snfd.errors import CloudError

OFFLINE = {
    "config": "What the daemon would run with.",
    "db": "The database's schema.",
    "secrets": "The keys that seal what must be read back.",
}
"""Nouns of `snfd.admin.ctl.offline`, and what they are about."""


class Nouns(click.Group):
    """All nouns; those that work offline are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all nouns."""
        return sorted({*super().list_commands(ctx), *OFFLINE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The noun called ``cmd_name``."""
        if cmd_name not in OFFLINE:
            return super().get_command(ctx, cmd_name)
        found = getattr(import_module("snfd.admin.ctl.offline"), cmd_name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the nouns without importing anything."""
        rows = {name: one.get_short_help_str(70) for name, one in self.commands.items()}
        with formatter.section("Nouns"):
            formatter.write_dl(sorted({**rows, **OFFLINE}.items()))


@click.group(cls=Nouns, context_settings=SETTINGS, epilog=exit_statuses())
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="TOML file; SNFD_* variables outrank it.",
)
@click.option(
    "--cloud",
    default="",
    metavar="NAME",
    help="Administer this cloud of clouds.yaml instead, as its user there.",
)
@click.pass_context
def snfctl(context: click.Context, file: Path | None, cloud: str) -> None:
    """Administer an snfd cloud: snfctl NOUN VERB.

    config, db and secrets work without a running daemon. All other nouns talk to
    the one whose data directory the configuration names (SNFD_VAR, or var in the
    file), over its socket there: run them as root or as the daemon's user.

    'snfctl NOUN --help' lists verbs, 'snfctl NOUN VERB --help' shows an example.
    """
    context.obj = Chosen(file, cloud, os.environ)


for _noun in NOUNS:
    snfctl.add_command(group(_noun))


def main() -> None:
    """Run the command; whatever fails ends it with one clear line.

    The status tells what it was, see `snfd.admin.ctl.problems`.
    """
    try:
        snfctl.main(prog_name="snfctl", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except Problem as problem:
        _fail(problem.message, problem.status, problem.hint)
    except CloudError as error:
        _fail(error.message)
    except BrokenPipeError:
        # whoever read has seen enough; nothing more goes out, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(REFUSED)


def _fail(why: str, status: int = REFUSED, hint: str = "") -> NoReturn:
    click.echo("snfctl: " + " ".join(why.split()), err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    sys.exit(status)
