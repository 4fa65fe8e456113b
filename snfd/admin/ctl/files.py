"""Files that commands are given."""

from __future__ import annotations

import json
from typing import Any

import click

from snfd.admin.ctl.problems import USAGE, Problem


def text_of(name: str) -> str:
    """What is in a file; ``-`` is standard input.

    :raises Problem: it cannot be read.
    """
    try:
        with click.open_file(name, encoding="utf-8-sig") as file:
            return str(file.read())
    except OSError as error:
        raise Problem(USAGE, f"cannot read {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Problem(USAGE, f"{name} is no text in UTF-8") from None


def json_of(name: str) -> Any:
    """The JSON that is in a file.

    :raises Problem: it cannot be read, or is none.
    """
    try:
        return json.loads(text_of(name))
    except ValueError as error:
        raise Problem(USAGE, f"{name} is no JSON: {error}") from None
