"""Commissions as other programs ask for them: keys as text, and exact refusals.

Rules: ``spec/astakos.md`` §2.5 and §3.2. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import evolve, frozen

from snfd.errors import NotFound, OverQuota
from snfd.identity.names import as_uuid
from snfd.quota.model import WHOLE_PROJECT, Holding, Key

USER, PROJECT = "user:", "project:"


@frozen
class Provision:
    """One part of a commission, as clients write it.

    :ivar source: None where the holder is a whole project.
    :ivar quantity: positive imports, negative releases.
    """

    holder: str
    source: str | None
    resource: str
    quantity: int

    @property
    def key(self) -> Key | None:
        """The holding that it names; None where nothing can have that name."""
        if self.source is None:
            project, member = _named(PROJECT, self.holder), WHOLE_PROJECT
        else:
            project = _named(PROJECT, self.source)
            member = _named(USER, self.holder) or WHOLE_PROJECT
            if member == WHOLE_PROJECT:
                return None
        return None if project is None else Key(project, member, self.resource)

    @classmethod
    def of(cls, key: Key, quantity: int) -> Provision:
        """The part that changes the holding ``key``."""
        project = f"{PROJECT}{key.project}"
        if key.user is None:
            return cls(project, None, key.resource, quantity)
        return cls(f"{USER}{key.user}", project, key.resource, quantity)


def _named(kind: str, text: str) -> UUID | None:
    if not text.startswith(kind):
        return None
    return as_uuid(text.removeprefix(kind))


def unbalanced(provisions: Sequence[Provision]) -> Key | None:
    """A project's holding that does not change by what its members' do, if any."""
    sums: dict[Key, int] = {}
    for one in provisions:
        if (key := one.key) is not None:
            whole = evolve(key, member=WHOLE_PROJECT)
            sign = 1 if key.user is None else -1
            sums[whole] = sums.get(whole, 0) + sign * one.quantity
    return next((key for key, left in sums.items() if left), None)


@frozen
class Order:
    """A commission to be issued.

    :ivar force: pass limits, but never below zero.
    :ivar auto_accept: settle it at once.
    """

    provisions: Sequence[Provision]
    name: str = ""
    force: bool = False
    auto_accept: bool = False


def _data(name: str, provision: Provision, **numbers: int) -> dict[str, object]:
    told = {
        "holder": provision.holder,
        "source": provision.source,
        "resource": provision.resource,
        "quantity": provision.quantity,
    }
    return {"name": name, "provision": told, **numbers}


class NoHolding(NotFound):
    """A provision names a holding that there is not."""

    def __init__(self, provision: Provision) -> None:
        super().__init__(
            f"there is no holding of {provision.resource} for {provision.holder}"
            + (f" from {provision.source}" if provision.source else ""),
            data=_data("NoHoldingError", provision),
        )


class NoCapacity(OverQuota):
    """A provision would pass a limit."""

    def __init__(self, provision: Provision, holding: Holding) -> None:
        super().__init__(
            f"{provision.resource}: {provision.holder} uses {holding.usage_max} "
            f"of {holding.cap}; {provision.quantity} more was asked",
            data=_data(
                "NoCapacityError",
                provision,
                limit=holding.cap,
                usage=holding.usage_max,
            ),
        )


class NoQuantity(OverQuota):
    """A provision would release more than is held."""

    def __init__(self, provision: Provision, holding: Holding) -> None:
        super().__init__(
            f"{provision.resource}: {provision.holder} holds {holding.usage_min}; "
            f"{-provision.quantity} were to be released",
            data=_data("NoQuantityError", provision, limit=0, usage=holding.usage_min),
        )


Parts = Mapping[Key, Provision]
"""The provisions of an order, one for each holding, in order of first mention."""


def summed(provisions: Sequence[Provision]) -> Parts:
    """``provisions`` with those of one holding added up.

    :raises NoHolding: the first that names nothing.
    """
    found: dict[Key, Provision] = {}
    for one in provisions:
        key = one.key
        if key is None:
            raise NoHolding(one)
        before = found.get(key)
        quantity = one.quantity + (before.quantity if before else 0)
        found[key] = evolve(before or one, quantity=quantity)
    return found


def issued(
    parts: Parts, holdings: Mapping[Key, Holding], *, force: bool
) -> dict[Key, Holding]:
    """``holdings`` with all of ``parts`` pending.

    The first refused one, in the order of ``parts``, is told.

    :raises NoHolding: it is not among ``holdings``.
    :raises NoCapacity: there is no room for it.
    :raises NoQuantity: less is held than it releases.
    """
    after: dict[Key, Holding] = {}
    for key, part in parts.items():
        holding = holdings.get(key)
        if holding is None:
            raise NoHolding(part)
        try:
            after[key] = holding.issued(part.quantity, force)
        except OverQuota:
            kind = NoCapacity if part.quantity > 0 else NoQuantity
            raise kind(part, holding) from None
    return after
