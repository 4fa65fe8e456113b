"""Who is who, and what users tell the helpdesk.

Source: ``spec/astakos.md`` §2.2.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from twisted.web.iweb import IRequest

from api.forms import FORM, decode_form
from api.operations import SERVICE, operation
from api.synnefo.views import NameCatalogs
from snfd.identity.allowance import Allowance
from snfd.identity.model import Caller
from snfd.identity.people import People
from snfd.mail.feedback import Feedback
from snfd.registry.model import Component

MAX_MESSAGE = 64 * 1024

Name = Annotated[str, Meta(max_length=255)]
Names = list[Name]


class AskedNames(Struct):
    """Body of ``POST /user_catalogs``; null means none."""

    uuids: Names | None = None
    displaynames: Names | None = None


class AskedByService(Struct):
    """Body of ``POST /service/user_catalogs``; null means all there are."""

    uuids: Names | UnsetType | None = UNSET
    displaynames: Names | UnsetType | None = UNSET


class FeedbackForm(Struct):
    """Body of ``POST /feedback``."""

    feedback_msg: Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE)]
    feedback_data: Annotated[str, Meta(max_length=MAX_MESSAGE)] = ""


class AccountApi:
    """User catalogs and feedback."""

    def __init__(self, people: People, feedback: Feedback, unknown: Allowance) -> None:
        """Take the services; ``unknown`` names are what a user may guess at."""
        self._people = people
        self._feedback = feedback
        self._unknown = unknown

    @operation("POST", "/user_catalogs", body=AskedNames)
    async def user_catalogs(self, caller: Caller, body: AskedNames) -> NameCatalogs:
        """Translate uuids to login names and back.

        Uuids of the caller's projects become the projects' names.
        """
        uuids, displaynames = body.uuids or [], body.displaynames or []
        names = await self._people.names(uuids, displaynames, caller.projects)
        if body.displaynames:
            missing = set(body.displaynames).difference(names.by_name)
            await self._unknown.spend(caller.user, len(missing))
        return NameCatalogs.of(names)

    @operation("POST", "/service/user_catalogs", body=AskedByService, auth=SERVICE)
    async def service_user_catalogs(
        self, component: Component, body: AskedByService
    ) -> NameCatalogs:
        """Translate uuids to login names and back, or tell all of them."""
        uuids, names = body.uuids or (), body.displaynames or ()
        found = NameCatalogs.of(await self._people.names(uuids, names))
        if body.uuids is None or body.displaynames is None:
            everyone = await self._people.everyone()
            found = found.completed(
                everyone, uuids=body.uuids is None, names=body.displaynames is None
            )
        return found

    @operation("POST", "/feedback", raw=True, accepts={FORM: FeedbackForm})
    async def feedback(self, caller: Caller, request: IRequest) -> None:
        """Tell the helpdesk something."""
        form = decode_form(request, FeedbackForm)
        await self._feedback.send(caller, form.feedback_msg, form.feedback_data)
