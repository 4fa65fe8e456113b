"""Which rows a caller sees, as a value that stores turn into SQL."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from uuid import UUID

from attrs import frozen

from snfd.errors import Forbidden, Invalid
from snfd.identity.model import Caller


class Reach(Enum):
    """How far a caller sees."""

    OWN = "own"
    """What the user owns, and what is shared to one of the user's projects."""
    PROJECT = "project"
    """All that belongs to the token's project."""
    ALL = "all"
    """Everything; administrators only."""


@frozen
class Scope:
    """What one request may see, by the rules of its dialect (decision 12).

    :ivar user: who asks.
    :ivar projects: for `Reach.OWN` the user's projects, for `Reach.PROJECT`
        the one project of the token.
    :ivar reads: projects in which the caller changes nothing, whatever project
        the token is for.
    :ivar confined: whether nothing outside ``projects`` is seen, not even what
        the user owns.
    :ivar custodian: whether it also changes what administrators suspended.
    """

    reach: Reach
    user: UUID
    projects: tuple[UUID, ...]
    reads: frozenset[UUID] = frozenset()
    confined: bool = False
    custodian: bool = False

    @classmethod
    def own(cls, caller: Caller) -> Scope:
        """The scope of the synnefo dialect."""
        projects = tuple(sorted(caller.projects))
        return cls(Reach.OWN, caller.user, projects, caller.reads, caller.confined)

    @classmethod
    def project(cls, caller: Caller, everything: bool = False) -> Scope:
        """The scope of the openstack dialect.

        :param everything: cross projects; counts for administrators only.
        """
        reach = Reach.ALL if everything and caller.is_admin else Reach.PROJECT
        projects = (caller.project,)
        return cls(reach, caller.user, projects, caller.reads, caller.confined)

    def clause(self, alias: str) -> str:
        """An SQL condition on ``alias``'s owner, project and shared columns."""
        if self.reach is Reach.ALL:
            return "true"
        if self.reach is Reach.PROJECT:
            return f"{alias}.project = ANY(%(scope_projects)s::uuid[])"
        inside = f"{alias}.project = ANY(%(scope_projects)s::uuid[])"
        if self.confined:
            return f"({inside} AND ({alias}.owner = %(scope_user)s OR {alias}.shared))"
        return f"({alias}.owner = %(scope_user)s OR ({alias}.shared AND {inside}))"

    def check_change(self, project: UUID | None) -> None:
        """Pass if the caller may change what belongs to ``project``.

        :raises Forbidden: the caller only reads there.
        """
        if project in self.reads:
            raise Forbidden(f"your role in project {project} is read-only")

    @property
    def params(self) -> Mapping[str, object]:
        """What `clause` refers to."""
        return {
            "scope_user": self.user,
            "scope_projects": [str(project) for project in self.projects],
            "scope_reads": [str(project) for project in self.reads],
        }

    @property
    def shares(self) -> bool:
        """Whether what is made under this scope is shared to its project."""
        return self.reach is not Reach.OWN


def project_for(caller: Caller, wanted: UUID | None) -> UUID:
    """The project that something new belongs to: ``wanted``, else the token's.

    :raises Invalid: the caller is no member of it.
    :raises Forbidden: the caller only reads in it.
    """
    if wanted is None:
        return caller.project
    if wanted not in caller.projects:
        raise Invalid(f"you are no member of project {wanted}")
    if wanted in caller.reads:
        raise Forbidden(f"your role in project {wanted} is read-only")
    return wanted
