"""The cards that servers get unasked: forced ones, and those by default.

Each is a list of choices of which the first that has room is taken
(``spec/cyclades.md`` appendix B7).
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from snfd.db.port import Transaction
from snfd.network.model import NicRequest
from snfd.network.scope import Scope
from snfd.network.store import networks
from snfd.network.store import standard as store

ANY = "SNF:ANY_PUBLIC"
ANY4 = "SNF:ANY_PUBLIC_IPV4"
ANY6 = "SNF:ANY_PUBLIC_IPV6"
WORDS = {ANY: None, ANY4: 4, ANY6: 6}
"""Choices that are no network's id; each with the version of IP that it wants."""


@frozen
class Choice:
    """A network that a card may be on.

    :ivar numbered: whether the card gets an IPv4 address, where there are any.
    """

    network: int
    numbered: bool = True


async def cards(
    tx: Transaction, wanted: Sequence[NicRequest] | None
) -> Sequence[NicRequest] | None:
    """All cards of a new server: forced ones first, then its user's or the default.

    :param wanted: None where its user said nothing.
    :returns: None for one on any public network, where there is one.
    """
    forced, default = await store.cards(tx, True), await store.cards(tx, False)
    first = [NicRequest(choices=one, forced=True) for one in forced]
    if wanted is not None:
        return [*first, *wanted]
    if default or forced:
        return [*first, *(NicRequest(choices=one) for one in default)]
    return None


async def choices(
    tx: Transaction, scope: Scope, wanted: Sequence[str]
) -> Sequence[Choice]:
    """The networks that take new ports among what ``wanted`` stands for, in order."""
    found: dict[int, Choice] = {}
    for one in wanted:
        if one in WORDS:
            for ident in await networks.public_ids(tx, WORDS[one]):
                found.setdefault(ident, Choice(ident, one != ANY6))
        elif one.isdecimal() and await networks.takes_ports(tx, scope, int(one)):
            found.setdefault(int(one), Choice(int(one)))
    return list(found.values())
