"""``snfctl``: the administrators' command, NOUN VERB.

The nouns here work without a daemon; all others are tables in `snfd.admin.ctl`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click
import psycopg2

from snfd.admin.ctl.commands import SETTINGS, Chosen, exit_statuses, group
from snfd.admin.ctl.nouns import NOUNS
from snfd.admin.ctl.problems import INTERRUPTED, REFUSED, Problem
from snfd.db import schema
from snfd.db.neighbour import embedded_dsn
from snfd.db.place import PlaceError
from snfd.errors import CloudError, Invalid
from snfd.loading import Loaded
from snfd.secrets import KeyFileError, rotate


@click.group(context_settings=SETTINGS, epilog=exit_statuses())
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


def _loaded(context: click.Context) -> Loaded:
    chosen: Chosen = context.obj
    return chosen.loaded()


@snfctl.group()
def config() -> None:
    """What the daemon would run with."""


@config.command("show")
@click.pass_context
def config_show(context: click.Context) -> None:
    """Print each setting, its value and where the value comes from."""
    for name, value, origin in _loaded(context).shown():
        click.echo(f"{name} = {value}  # {origin}")


@config.command("check")
@click.pass_context
def config_check(context: click.Context) -> None:
    """Exit with 0 if the configuration is good, else say what is wrong."""
    _loaded(context)
    click.echo("the configuration is good")


@snfctl.group()
def db() -> None:
    """The database's schema."""


@db.command("migrate")
@click.pass_context
def db_migrate(context: click.Context) -> None:
    """Bring the schema up to date; safe to repeat, and while daemons run."""
    for one in schema.migrate(_dsn(context)):
        click.echo(f"applied {one.name}")
    click.echo("the schema is up to date")


@db.command("check")
@click.pass_context
def db_check(context: click.Context) -> None:
    """Exit with 0 if the schema fits this snfd, else say what to do."""
    schema.check_at(_dsn(context))
    click.echo("the schema fits")


@snfctl.group()
def secrets() -> None:
    """The keys that seal what must be read back."""


@secrets.command("rotate")
@click.pass_context
def secrets_rotate(context: click.Context) -> None:
    """Seal everything with a new key; safe while daemons run."""
    file, changed = _reseal(context, forget=False)
    click.echo(
        f"{changed} secret(s) are sealed with a new key, the first in {file}\n"
        "copy the file to every machine, restart the daemons, then run "
        "'snfctl secrets forget' to be rid of the old keys"
    )


@secrets.command("forget")
@click.pass_context
def secrets_forget(context: click.Context) -> None:
    """Forget the old keys, once every daemon was restarted after a rotation."""
    file, changed = _reseal(context, forget=True)
    click.echo(f"{changed} secret(s) were left; {file} holds one key now")


def _reseal(context: click.Context, *, forget: bool) -> tuple[Path, int]:
    config = _loaded(context).config
    file = Path(config.secrets.key_file or Path(config.var) / "keys")
    return file, rotate(file, _dsn(context), forget=forget)


def _dsn(context: click.Context) -> str:
    """The configured database, or the embedded one of a daemon that runs."""
    config = _loaded(context).config
    found = config.database.dsn or embedded_dsn(Path(config.var))
    if not found:
        raise Invalid(
            "no database: set SNFD_DATABASE_DSN or [database] dsn, or for an "
            "embedded one SNFD_VAR to the daemon's directory"
        )
    return found


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
    except psycopg2.Error as error:
        _fail(f"PostgreSQL: {error}")
    except (CloudError, KeyFileError, PlaceError, schema.SchemaError) as error:
        _fail(str(error))


def _fail(why: str, status: int = REFUSED, hint: str = "") -> NoReturn:
    click.echo("snfctl: " + " ".join(why.split()), err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    sys.exit(status)
