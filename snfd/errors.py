"""What can go wrong, in the cloud's own words; no HTTP here.

Each dialect maps these classes to its faults exactly once, in its
``faults.py``; a test checks that no class is missing there.
"""

from __future__ import annotations

from collections.abc import Mapping


class CloudError(Exception):
    """Something a caller can be told about.

    :ivar message: what was wrong and, where known, what would be right.
    :ivar told: the same for callers, where hosts or paths in ``message`` are none
        of their business.
    :ivar details: facts for machines, or an empty mapping.
    """

    def __init__(self, message: str, *, told: str = "", **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.told = told or message
        self.details: Mapping[str, object] = details


class Invalid(CloudError):
    """The request itself is wrong: a type, a range, a missing key."""


class Unauthorized(CloudError):
    """No credentials, or credentials that are not (or no longer) good."""


class Forbidden(CloudError):
    """The caller is known but may not do this."""


class NotFound(CloudError):
    """There is no such thing, or none that the caller may see."""


class NotAllowed(CloudError):
    """The method does not apply here.

    ``details["allow"]`` names the methods that do, comma separated.
    """


class Conflict(CloudError):
    """The thing exists already, or somebody changed it meanwhile."""


class Busy(Conflict):
    """The thing is in a state, or under a task, that excludes the request."""


class BuildInProgress(Busy):
    """The server is still being built."""


class OverQuota(CloudError):
    """The request would exceed a limit; nothing was taken.

    ``details`` carries ``resource``, ``limit``, ``usage``, ``requested``.
    """


class PreconditionFailed(CloudError):
    """A condition that the caller attached to the request does not hold."""


class LengthRequired(CloudError):
    """The size of the body must be known before it starts."""


class TooLarge(CloudError):
    """The body, list or value exceeds a bound that the message names."""


class BadMediaType(CloudError):
    """The body is of a kind that this operation does not take."""


class Unprocessable(CloudError):
    """Well formed, but the content does not match what was promised."""


class RangeUnsatisfiable(CloudError):
    """The byte range lies outside the object.

    ``details["size"]`` is the object's size in bytes.
    """


class TooManyRequests(CloudError):
    """The caller must slow down; ``details["retry_after"]`` in seconds."""


class RequestTimeout(CloudError):
    """The client did not send its body in time."""


class NotImplementedHere(CloudError):
    """The call is known and will not be served by this cloud."""


class Unavailable(CloudError):
    """A part that the request needs is away.

    ``details["retry_after"]`` in seconds, where known.
    """


class Timeout(Unavailable):
    """A part did not answer within its time limit."""


class Closed(Unavailable):
    """The part is shutting down."""
