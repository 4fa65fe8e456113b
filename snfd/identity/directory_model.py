"""Values of the directory: who is what, where."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from snfd.identity.model import ADMIN, ROLES, ProjectRef


@frozen
class Assignment:
    """What somebody is in a project.

    :ivar role: ``member`` or ``reader``, as his membership says.
    :ivar admin: whether he is an administrator besides.
    """

    user: UUID
    username: str
    project: ProjectRef
    role: str
    admin: bool

    @property
    def given(self) -> tuple[str, ...]:
        """The roles that he was given."""
        return (self.role, ADMIN) if self.admin else (self.role,)

    @property
    def roles(self) -> tuple[str, ...]:
        """Those and all that follow from them, weakest first."""
        strongest = self.given[-1]
        return ROLES[: ROLES.index(strongest) + 1]
