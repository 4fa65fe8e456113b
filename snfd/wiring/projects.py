"""The parts that look after projects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from snfd.config import Urls
from snfd.mail.service import Post
from snfd.mail.staff import Staff
from snfd.projects.expiry import Expiry
from snfd.projects.letters import Letters
from snfd.projects.parts import Parts
from snfd.projects.wired import ProjectServices

if TYPE_CHECKING:
    from snfd.db.port import Database
    from snfd.wiring import Ground


def projects(ground: Ground, db: Database, post: Post) -> ProjectServices:
    """All use cases of projects."""
    config = ground.config
    staff = Staff(config.mail.helpdesk, config.mail.managers)
    letters = Letters(post, Urls.of(config.urls).astakos, staff)
    return ProjectServices.build(
        Parts(
            db,
            ground.reactor,
            letters,
            uuid4,
            enroll_owner=config.identity.enroll_owner,
        )
    )


def expiry(ground: Ground, parts: ProjectServices) -> Expiry:
    """Looks after the ends of projects."""
    return Expiry(ground.reactor, parts.parts.db, parts.parts.letters)
