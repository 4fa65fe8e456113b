"""Named points at which a test can end the process.

The daemon itself only ever passes `nothing`; a functional test lets wiring
pass a probe that kills the process, to show that no point is a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Probe = Callable[[str], None]
"""Called with the name of a point when it is reached."""

BEFORE_COMMIT: Final = "before-commit"
AFTER_COMMIT: Final = "after-commit"
DURING_SUBMIT: Final = "during-submit"
AFTER_SUBMIT: Final = "after-submit"
WHILE_SETTLING: Final = "while-settling"

POINTS: Final = (
    BEFORE_COMMIT,
    AFTER_COMMIT,
    DURING_SUBMIT,
    AFTER_SUBMIT,
    WHILE_SETTLING,
)


def nothing(point: str) -> None:
    """The probe of ordinary operation: no effect at any ``point``."""
