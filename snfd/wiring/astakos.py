"""The parts of identity beyond logging in: accounts, projects, registry, mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snfd.admin.service import Administration
from snfd.cloud import Astakos
from snfd.mail.service import Post
from snfd.registry.tokens import Components

if TYPE_CHECKING:
    from snfd.db.port import Database
    from snfd.wiring import Ground


def astakos(ground: Ground, db: Database) -> Astakos:
    """All of them, over what stands already."""
    return Astakos(
        post=Post(ground.keys),
        admin=Administration.build(db, ground.reactor),
        components=Components(db, ground.reactor),
    )
