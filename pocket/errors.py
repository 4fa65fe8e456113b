"""How the pocket cluster says no: at the door, or as the end of a job."""

from __future__ import annotations


class Refusal(Exception):
    """A request that RAPI answers with an HTTP error; no job was made.

    :ivar status: HTTP status.
    :ivar explain: what was wrong, in plain text.
    """

    def __init__(self, status: int, explain: str) -> None:
        super().__init__(explain)
        self.status = status
        self.explain = explain


class OpError(Exception):
    """The end of a job that failed."""

    def result(self) -> list[object]:
        """What the job's ``opresult`` shows."""
        return [type(self).__name__, list(self.args)]


class OpPrereqError(OpError):
    """The operation was refused before it changed anything.

    Its second argument is one of Ganeti's error codes, below.
    """

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text, code)


class OpExecError(OpError):
    """The operation failed while it was carried out."""

    def __init__(self, text: str) -> None:
        super().__init__(text)


WRONG_INPUT = "wrong_input"
WRONG_STATE = "wrong_state"
UNKNOWN = "unknown_entity"
EXISTS = "already_exists"
NOT_UNIQUE = "resource_not_unique"
NO_RESOURCES = "insufficient_resources"


def unknown_instance(name: str) -> OpPrereqError:
    """The error for an operation on an instance that is not there."""
    return OpPrereqError(f"Instance '{name}' not known", UNKNOWN)


def unknown_network(name: str) -> OpPrereqError:
    """The error for an operation on a network that is not there."""
    return OpPrereqError(f"Network '{name}' not found", UNKNOWN)
