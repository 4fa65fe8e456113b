"""What we ask of a Ganeti cluster; `Rapi` and `FakeGaneti` answer it.

Errors: `Refused` when the cluster will not take a request, ever; `Away` when
it could not be asked or did not answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol

from snfd.db.port import Transaction
from snfd.errors import Unavailable
from snfd.ganeti.model import (
    Description,
    Instance,
    Job,
    JobStatus,
    Network,
    Outcome,
    Sighting,
)
from snfd.ganeti.requests import Request

IDS_MAX = 500
"""Most job ids or names in one query; longer ones are cut up."""

Settle = Callable[[Transaction, Outcome], Awaitable[None]]
"""Writes down what an outcome means; applying it twice changes nothing."""


class Refused(Exception):
    """The cluster answered that the request itself is wrong.

    :ivar message: in the cluster's words.
    :ivar code: HTTP status.
    """

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Away(Unavailable):
    """The cluster could not be asked, or did not answer.

    :ivar queued: False if the request surely had no effect, else None.
    """

    def __init__(
        self,
        message: str,
        queued: Literal[False] | None = None,
        *,
        told: str = "",
        **details: object,
    ) -> None:
        super().__init__(message, told=told, **details)
        self.queued = queued


class Jobs(Protocol):
    """The job queue of a cluster."""

    async def submit(self, request: Request, reason: str) -> int:
        """Queue a job; its id.

        :param reason: kept in the reason trail of the job's opcodes.
        :raises Refused: it was not queued, and will not be.
        """
        ...

    async def newest(self) -> int:
        """The highest id of a job that is not archived; 0 if there is none."""
        ...

    async def statuses(self, after: int, ids: Sequence[int]) -> list[JobStatus]:
        """Every job with an id above ``after`` and those named, by id.

        Archived jobs are found by ``ids`` only; unknown ids are left out.
        """
        ...

    async def jobs(self, ids: Sequence[int]) -> list[Job]:
        """The named jobs in full, by id; unknown ids are left out."""
        ...

    async def cancel(self, job: int) -> bool:
        """Cancel a job, if it has not begun; whether it has ended now.

        :raises Refused: there is no such job.
        """
        ...


class Views(Protocol):
    """The other things of a cluster, as they are now."""

    async def sightings(self) -> list[Sighting]:
        """Every instance, in brief."""
        ...

    async def instances(self, names: Sequence[str]) -> list[Instance]:
        """The named instances; unknown names are left out."""
        ...

    async def networks(self) -> list[Network]:
        """Every network."""
        ...

    async def describe(self) -> Description:
        """What the cluster can do and how much of it is free."""
        ...


class Ganeti(Jobs, Views, Protocol):
    """A Ganeti cluster."""
