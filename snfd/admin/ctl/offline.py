"""The nouns of ``snfctl`` that need no daemon: config, db, secrets.

Imported only when one of them is asked for: they need the database's driver and
more, which would have every other command wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import psycopg2

from snfd.admin.ctl.commands import SETTINGS, Chosen
from snfd.admin.ctl.problems import REFUSED, Problem
from snfd.db import schema
from snfd.db.neighbour import embedded_dsn
from snfd.db.place import PlaceError
from snfd.errors import Invalid
from snfd.loading import Loaded
from snfd.secrets import KeyFileError, rotate


def _example(words: str) -> str:
    return f"\b\nExample:\n  snfctl --config /etc/snfd.toml {words}"


@click.group(context_settings=SETTINGS)
def config() -> None:
    """What the daemon would run with."""


@config.command("show", epilog=_example("config show"))
@click.pass_context
def config_show(context: click.Context) -> None:
    """Print each setting, its value and where the value comes from."""
    for name, value, origin in _loaded(context).shown():
        click.echo(f"{name} = {value}  # {origin}")


@config.command("check", epilog=_example("config check"))
@click.option(
    "--database",
    is_flag=True,
    help="Also ask PostgreSQL whether schema, key file and block size fit it.",
)
@click.pass_context
def config_check(context: click.Context, database: bool) -> None:
    """Exit with 0 if a daemon would start with the configuration, else say why not.

    Looks at all that a start looks at: the plugins' settings, files that are read,
    directories that are written. Run it as the daemon's user.
    """
    from twisted.internet import reactor

    from snfd import preflight

    chosen = _loaded(context).config
    with _told():
        preflight.rehearse(reactor, chosen)
        if database:
            preflight.agree(chosen, _dsn(context))
    click.echo("the configuration is good")


@click.group(context_settings=SETTINGS)
def db() -> None:
    """The database's schema."""


@db.command("migrate", epilog=_example("db migrate"))
@click.pass_context
def db_migrate(context: click.Context) -> None:
    """Bring the schema up to date; safe to repeat, and while daemons run."""
    with _told():
        for one in schema.migrate(_dsn(context)):
            click.echo(f"applied {one.name}")
    click.echo("the schema is up to date")


@db.command("check", epilog=_example("db check"))
@click.pass_context
def db_check(context: click.Context) -> None:
    """Exit with 0 if the schema fits this snfd, else say what to do."""
    with _told():
        schema.check_at(_dsn(context))
    click.echo("the schema fits")


@click.group(context_settings=SETTINGS)
def secrets() -> None:
    """The keys that seal what must be read back."""


@secrets.command("rotate", epilog=_example("secrets rotate"))
@click.pass_context
def secrets_rotate(context: click.Context) -> None:
    """Seal everything with a new key; safe while daemons run."""
    file, changed = _reseal(context, forget=False)
    click.echo(
        f"{changed} secret(s) are sealed with a new key, the first in {file}\n"
        "copy the file to every machine, restart the daemons, then run "
        "'snfctl secrets forget' to be rid of the old keys"
    )


@secrets.command("forget", epilog=_example("secrets forget"))
@click.pass_context
def secrets_forget(context: click.Context) -> None:
    """Forget the old keys, once every daemon was restarted after a rotation."""
    file, changed = _reseal(context, forget=True)
    click.echo(f"{changed} secret(s) were left; {file} holds one key now")


def _reseal(context: click.Context, *, forget: bool) -> tuple[Path, int]:
    config = _loaded(context).config
    file = Path(config.secrets.key_file or Path(config.var) / "keys")
    with _told():
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


def _loaded(context: click.Context) -> Loaded:
    chosen: Chosen = context.obj
    return chosen.loaded()


@contextmanager
def _told() -> Iterator[None]:
    """Tell what may go wrong in one line."""
    try:
        yield
    except psycopg2.Error as error:
        raise Problem(REFUSED, f"PostgreSQL: {error}") from None
    except (KeyFileError, PlaceError, schema.SchemaError) as error:
        raise Problem(REFUSED, str(error)) from None
