"""All use cases of projects in one value."""

from __future__ import annotations

from attrs import frozen

from snfd.projects.admin import ProjectAdmin
from snfd.projects.desk import ProjectDesk
from snfd.projects.expiry import Ends
from snfd.projects.memberships import Memberships
from snfd.projects.parts import Parts


@frozen(eq=False)
class ProjectServices:
    """What APIs and administrators' tools do with projects.

    :ivar desk: for whoever presents a token, as is ``memberships``.
    :ivar admin: for administrators, also on the daemon's socket.
    """

    parts: Parts
    desk: ProjectDesk
    memberships: Memberships
    admin: ProjectAdmin
    ends: Ends

    @classmethod
    def build(cls, parts: Parts) -> ProjectServices:
        """All of them, over ``parts``."""
        return cls(
            parts,
            ProjectDesk(parts),
            Memberships(parts),
            ProjectAdmin(parts),
            Ends(parts.db, parts.clock, parts.letters),
        )
