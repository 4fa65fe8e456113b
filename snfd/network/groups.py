"""Security groups: read-only ones, each of which stands for a firewall profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

from attrs import frozen

from snfd.errors import Invalid, NotFound
from snfd.network.model import OPEN

DEFAULT = "default"
_NAMED = {
    DEFAULT: (OPEN, "what cards have by default: no filter"),
    "firewall-enabled": ("ENABLED", "firewall profile ENABLED: answers only"),
    "firewall-protected": ("PROTECTED", "firewall profile PROTECTED: basic services"),
    "firewall-disabled": (OPEN, "firewall profile DISABLED: no filter, as default"),
}
_SHOWN = {
    profile: name
    for name, (profile, _) in _NAMED.items()
    if name == DEFAULT or profile != OPEN
}


@frozen
class Group:
    """A security group, which every project has under an id of its own."""

    id: UUID
    name: str
    profile: str
    description: str


def groups(project: UUID) -> Sequence[Group]:
    """The groups of a project, the default one first."""
    return [
        Group(_ident(project, name), name, profile, text)
        for name, (profile, text) in _NAMED.items()
    ]


def _ident(project: UUID, name: str) -> UUID:
    return project if name == DEFAULT else uuid5(project, name)


def called(profile: str) -> str:
    """The name of the group that a card with ``profile`` is in."""
    return _SHOWN[profile]


def holding(project: UUID, profile: str) -> UUID:
    """The group of ``project`` that a card with ``profile`` is in."""
    return _ident(project, called(profile))


def profile_called(name: str) -> str:
    """The profile that a group stands for, by name.

    :raises NotFound: there is no such group.
    """
    if name not in _NAMED:
        raise _missing(name)
    return _NAMED[name][0]


def chosen(project: UUID, wanted: Iterable[UUID]) -> str:
    """The profile that those groups of ``project`` stand for; `OPEN` without any.

    :raises NotFound: there is no such group.
    :raises Invalid: they stand for several profiles that filter.
    """
    known = {one.id: one.profile for one in groups(project)}
    found = set()
    for ident in wanted:
        if ident not in known:
            raise _missing(ident)
        found.add(known[ident])
    found.discard(OPEN)
    if len(found) > 1:
        raise Invalid("a port has one firewall profile: name one group that filters")
    return found.pop() if found else OPEN


def _missing(which: object) -> NotFound:
    return NotFound(f"there is no security group {which}", kind="SecurityGroupNotFound")
