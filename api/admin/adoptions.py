"""Taking instances over that were made elsewhere."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from api.admin.bodies import Short
from api.operations import operation
from api.paging import RowId
from snfd.admin.adoptions import AdoptionFacts, AdoptionViews
from snfd.admin.rights import Right, Staff
from snfd.admin.service import Finder
from snfd.compute.adoptions import Adoptions
from snfd.ganeti.adoption_store import Wanted

Names = Annotated[list[Short], Meta(max_length=1000)]


class NewAdoption(Struct):
    """Instances to be taken over, for whom, in which project.

    :ivar instances: by name; empty for all that are called like servers.
    :ivar shared: whether all members of the project see them.
    :ivar networks: whether networks that are not known here are made, too.
    :ivar rename: whether named ones that are called otherwise are renamed.
    :ivar strip_nics: whether those lose cards on networks that are none of ours.
    :ivar dry_run: tell only what would be done.
    """

    user: Short
    project: Short
    instances: Names = []
    shared: bool = False
    networks: bool = False
    rename: bool = False
    strip_nics: bool = False
    dry_run: bool = False


class AdoptionsApi:
    """Requests to make servers of instances."""

    def __init__(self, views: AdoptionViews, find: Finder, asked: Adoptions) -> None:
        self._views = views
        self._find = find
        self._asked = asked

    @operation("POST", "/backends/<backend>/adoptions", body=NewAdoption, status=202)
    async def adopt(
        self, staff: Staff, backend: str, body: NewAdoption
    ) -> AdoptionFacts:
        """Have instances taken over; ask again until it is finished."""
        ident = await self._asked.ask(
            staff.to(Right.CLUSTERS), backend, await self._wanted(body)
        )
        return await self._views.show(backend, ident)

    @operation("GET", "/backends/<backend>/adoptions/<adoption>")
    async def show(self, staff: Staff, backend: str, adoption: RowId) -> AdoptionFacts:
        """Tell what came of a request."""
        return await self._views.show(backend, adoption)

    async def _wanted(self, body: NewAdoption) -> Wanted:
        return Wanted(
            owner=await self._find.user(body.user),
            project=await self._find.project(body.project),
            instances=body.instances,
            shared=body.shared,
            networks=body.networks,
            rename=body.rename,
            strip_nics=body.strip_nics,
            dry_run=body.dry_run,
        )
