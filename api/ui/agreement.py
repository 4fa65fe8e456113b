"""The tick of the terms of service in forms that open accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from api.ui.context import TERMS
from api.ui.paper import Field, Link
from snfd.accounts.terms import Terms


@frozen
class Agreement:
    """What a form needs for it; nothing where there are no terms."""

    fields: Sequence[Field] = ()
    hidden: Mapping[str, str] = {}
    links: Sequence[Link] = ()


async def agreement(terms: Terms) -> Agreement:
    """The same for the terms in force."""
    newest = await terms.newest()
    if newest is None:
        return Agreement()
    return Agreement(
        [Field("agreed", "I agree to the terms of service", "checkbox", "yes")],
        {"terms": str(newest.id)},
        [Link(f"{TERMS}/{newest.id}", "The terms of service")],
    )


def agreed(given: Mapping[str, str]) -> int | None:
    """The version that was shown and agreed to; None for none."""
    shown = given.get("terms", "")
    if given.get("agreed", "").lower() != "yes":
        return None
    return int(shown) if shown.isdecimal() and len(shown) < 19 else None
