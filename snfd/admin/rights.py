"""Who may look after the cloud, and how far: one table (W36)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from attrs import frozen

from snfd.audit import Actor
from snfd.errors import Forbidden


class Right(StrEnum):
    """One kind of change."""

    CONTACT = "contact"
    USERS = "users"
    PROJECTS = "projects"
    QUOTAS = "quotas"
    REGISTRY = "registry"
    CLUSTERS = "clusters"
    SERVERS = "servers"
    SUPPORT = "support"
    OPERATIONS = "operations"


EVERYTHING = frozenset(Right)

RIGHTS: Mapping[str, frozenset[Right]] = {
    "admin": EVERYTHING,
    "helpdesk": frozenset({Right.CONTACT, Right.SUPPORT}),
    "admin-readonly": frozenset(),
}
"""What members of a group may change; who is in one of them sees everything."""

VIEWERS = frozenset({*RIGHTS, "admin-stats"})
"""Whose members may see statistics."""


@frozen
class Staff:
    """Somebody who looks after the cloud, already known to be one.

    A service that changes something wants an `Actor`; only `to` gives it.
    """

    _actor: Actor
    _rights: frozenset[Right]

    @property
    def name(self) -> str:
        """What he is called."""
        return self._actor.name

    def looking(self) -> Actor:
        """Himself, for what changes nothing and yet wants to know who asks."""
        return self._actor

    def may(self, right: Right) -> bool:
        """Whether he has ``right``."""
        return right in self._rights

    def to(self, right: Right) -> Actor:
        """Himself, if he has ``right``.

        :raises Forbidden: he has not.
        """
        if right not in self._rights:
            raise Forbidden(f"your groups may look, but not change {right}")
        return self._actor


def staff(actor: Actor, groups: Iterable[str]) -> Staff:
    """What a member of ``groups`` may do.

    :raises Forbidden: nothing at all.
    """
    found = [RIGHTS[name] for name in groups if name in RIGHTS]
    if not found:
        raise Forbidden(f"only for members of {', '.join(RIGHTS)}")
    return Staff(actor, frozenset().union(*found))
