"""``snfctl``: the administrators' command, NOUN VERB."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import psycopg2

from snfd.db import schema
from snfd.errors import CloudError, Invalid
from snfd.loading import Loaded, load


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="TOML file; SNFD_* variables outrank it.",
)
@click.pass_context
def snfctl(context: click.Context, file: Path | None) -> None:
    """Administer an snfd cloud.

    The nouns here work without a running daemon.
    """
    context.obj = file


def _loaded(context: click.Context) -> Loaded:
    return load(context.obj, os.environ, {})


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


def _dsn(context: click.Context) -> str:
    dsn = _loaded(context).config.database.dsn
    if not dsn:
        raise Invalid(
            "no database is configured: set SNFD_DATABASE_DSN or [database] dsn; "
            "an embedded one is migrated by its daemon"
        )
    return dsn


def main() -> None:
    """Run the command; whatever fails ends it with 1 and one clear line."""
    try:
        snfctl.main(prog_name="snfctl", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except (CloudError, schema.SchemaError, psycopg2.Error) as error:
        click.echo(f"snfctl: {error}".strip(), err=True)
        sys.exit(1)
