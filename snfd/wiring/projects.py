"""The parts that look after projects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from snfd.config import Urls
from snfd.mail.service import Post
from snfd.projects.desk import Office
from snfd.projects.expiry import Expiry
from snfd.projects.letters import Letters
from snfd.projects.parts import ProjectParts

if TYPE_CHECKING:
    from snfd.db.port import Database
    from snfd.wiring import Ground


def projects(ground: Ground, db: Database, post: Post) -> ProjectParts:
    """All use cases of projects."""
    config = ground.config
    staff = [*config.mail.helpdesk, *config.mail.managers]
    letters = Letters(post, Urls.of(config.urls).astakos, staff)
    return ProjectParts.build(
        Office(
            db,
            ground.reactor,
            letters,
            uuid4,
            enroll_owner=config.identity.enroll_owner,
        )
    )


def expiry(ground: Ground, parts: ProjectParts) -> Expiry:
    """Looks after the ends of projects."""
    return Expiry(ground.reactor, parts.office.db, parts.office.letters)
