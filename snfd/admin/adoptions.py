"""What came of instances that were to be taken over."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from snfd.admin.model import Fact
from snfd.db.port import Database
from snfd.errors import NotFound


class AdoptionResult(Fact, frozen=True):
    """What came of one instance.

    :ivar outcome: ``adopted``, ``would be adopted`` or ``refused``.
    """

    instance: str
    outcome: str
    server: int | None
    detail: str


class AdoptionFacts(Fact, frozen=True):
    """A request to take instances over.

    :ivar finished: null while it is worked on.
    """

    id: int
    backend: str
    dry_run: bool
    asked: datetime
    finished: datetime | None
    results: list[AdoptionResult]


_FACTS = """
    SELECT a.id, c.name, coalesce((a.wanted->>'dry_run')::boolean, false), a.asked,
           a.finished, a.results
      FROM compute.adoption a JOIN compute.cluster c ON c.id = a.cluster
     WHERE a.id = %(id)s AND (c.name = %(backend)s OR c.id::text = %(backend)s)
"""


@frozen(eq=False)
class AdoptionViews:
    """Looks at such requests."""

    db: Database

    async def show(self, backend: str, ident: int) -> AdoptionFacts:
        """A request.

        :raises NotFound: there is none, or no longer.
        """
        for row in await self.db.read(_FACTS, {"id": ident, "backend": backend}):
            results = [
                AdoptionResult(
                    one["instance"], one["outcome"], one["server"], one["detail"]
                )
                for one in row[5]
            ]
            return AdoptionFacts(*(*row[:5], results))
        raise NotFound(f"there is no adoption {ident} at cluster {backend}")
