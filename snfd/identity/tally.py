"""Counts how logins end, by method and in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from snfd.errors import CloudError, TooManyRequests, Unavailable

SUCCESS, REFUSED, THROTTLED, UNAVAILABLE, BROKEN = OUTCOMES = (
    "success",
    "refused",
    "throttled",
    "unavailable",
    "broken",
)
"""All there are: in; no or the wrong proof, or not to be let in; too many failures;
a part is away that had to be asked; a bug."""

Tally = Callable[[str, str], None]
"""Told the method and the outcome of each attempt to log in."""


def uncounted(method: str, outcome: str) -> None:
    """Counts nothing."""


@contextmanager
def counted(tally: Tally, method: str, *, success: bool = True) -> Iterator[None]:
    """Tell ``tally`` how the body ends.

    :param success: whether its end is that of the login; else others count that.
    """
    try:
        yield
    except TooManyRequests:
        tally(method, THROTTLED)
        raise
    except Unavailable:
        tally(method, UNAVAILABLE)
        raise
    except CloudError:
        tally(method, REFUSED)
        raise
    except Exception:
        tally(method, BROKEN)
        raise
    if success:
        tally(method, SUCCESS)
