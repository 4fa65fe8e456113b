"""Named points at which a test can end the process.

The daemon passes `nothing` unless its environment holds ``SNFD_TEST_CRASH``, by
which functional tests show that no point is a wrong one to be killed at.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from typing import Final

from snfd.errors import Invalid

Probe = Callable[[str], None]
"""Called with the name of a point when it is reached."""

BEFORE_COMMIT: Final = "before-commit"
AFTER_COMMIT: Final = "after-commit"
DURING_SUBMIT: Final = "during-submit"
AFTER_SUBMIT: Final = "after-submit"
WHILE_SETTLING: Final = "while-settling"
LETTER_HELD: Final = "letter-held"
LETTER_HANDED: Final = "letter-handed"
LETTER_TAKEN: Final = "letter-taken"
LETTER_NOTED: Final = "letter-noted"

POINTS: Final = (
    BEFORE_COMMIT,
    AFTER_COMMIT,
    DURING_SUBMIT,
    AFTER_SUBMIT,
    WHILE_SETTLING,
    LETTER_HELD,
    LETTER_HANDED,
    LETTER_TAKEN,
    LETTER_NOTED,
)


def nothing(point: str) -> None:
    """The probe of ordinary operation: no effect at any ``point``."""


def crash_probe(environment: Mapping[str, str]) -> Probe:
    """Kill the process where ``SNFD_TEST_CRASH=point:count`` says; else nothing.

    :raises Invalid: there is no such point.
    """
    point, _, count = environment.get("SNFD_TEST_CRASH", "").partition(":")
    if not point:
        return nothing
    if point not in POINTS:
        raise Invalid(f"SNFD_TEST_CRASH: no point {point}")
    left = [int(count or 1)]

    def probe(passed: str) -> None:
        if passed == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return probe
