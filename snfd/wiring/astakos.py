"""The parts of identity beyond logging in: accounts, projects, registry, mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snfd.cloud import Astakos
from snfd.mail.service import Post

if TYPE_CHECKING:
    from snfd.wiring import Ground


def astakos(ground: Ground) -> Astakos:
    """All of them, over what stands already."""
    return Astakos(post=Post(ground.keys))
