"""All use cases of projects in one value."""

from __future__ import annotations

from attrs import frozen

from snfd.projects.admin import ProjectAdmin
from snfd.projects.desk import Office, ProjectDesk
from snfd.projects.expiry import Ends
from snfd.projects.member_desk import MembershipDesk


@frozen(eq=False)
class ProjectParts:
    """What APIs and administrators' tools do with projects.

    :ivar desk: for whoever presents a token, as is ``memberships``.
    :ivar admin: for administrators, also on the daemon's socket.
    """

    office: Office
    desk: ProjectDesk
    memberships: MembershipDesk
    admin: ProjectAdmin
    ends: Ends

    @classmethod
    def build(cls, office: Office) -> ProjectParts:
        """All of them, over ``office``."""
        return cls(
            office,
            ProjectDesk(office),
            MembershipDesk(office),
            ProjectAdmin(office),
            Ends(office.db, office.clock, office.letters),
        )
