"""Names that users give, and what is told of things that are not there."""

from __future__ import annotations

from snfd.errors import Invalid, NotFound
from snfd.network.model import MAX_NAME


def checked_name(name: str) -> str:
    """``name`` if it is not too long for a network, subnet or port.

    :raises Invalid: it is.
    """
    if len(name) > MAX_NAME:
        raise Invalid(f"a name has at most {MAX_NAME} characters")
    return name


def missing(what: str, ident: object) -> NotFound:
    """What to raise where there is no ``what`` of that id, or none to be seen."""
    return NotFound(f"there is no {what.lower()} {ident}", kind=f"{what}NotFound")
