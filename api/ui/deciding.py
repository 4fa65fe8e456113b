"""Forms by which administrators decide what a letter to them is about.

Source: ``spec/astakos.md`` §5.7, §5.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.context import PROFILE, PageContext
from api.ui.letters import REFUSED, told
from api.ui.paper import Field, Link, going, plain
from snfd.accounts.moderation import Moderation
from snfd.audit import Actor
from snfd.errors import Forbidden, Unauthorized
from snfd.identity.model import Caller
from snfd.projects.acting import Order
from snfd.projects.desk import ProjectDesk

ACCOUNT = Link(PROFILE, "Your account")
LABELS: Mapping[str, str] = {
    "approve": "Grant the application",
    "deny": "Refuse the application",
    "accept": "Let this account in",
    "reject": "Turn this account away",
}


class Which(Struct):
    """The application that is decided about."""

    application: Annotated[int, Meta(ge=1, le=2**63 - 1)]


class ProjectDecisionPage:
    """``/ui/projects/<uuid>/approve`` and ``deny``."""

    def __init__(self, context: PageContext, projects: ProjectDesk) -> None:
        self._context = context
        self._projects = projects

    @operation("GET", "/<project>/<word>", auth=False, raw=True, query=Which)
    async def show(
        self,
        request: IRequest,
        project: UUID,
        word: Literal["approve", "deny"],
        query: Which,
    ) -> Answer[bytes]:
        """Ask for the reason."""
        path = f"/ui/projects/{project}/{word}?application={query.application}"
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(path))
        try:
            found = await self._projects.get(_administrator(caller), project)
        except REFUSED as error:
            return told("Nothing to decide for you", error, ACCOUNT)
        number = str(query.application)
        facts = [("Project", found.project.name), ("Application", number)]
        hidden = {"application": number}
        return _asked(self._context, request, word, facts, hidden)

    @operation("POST", "/<project>/<word>", auth=False, raw=True)
    async def take(
        self, request: IRequest, project: UUID, word: Literal["approve", "deny"]
    ) -> Answer[bytes]:
        """Decide."""
        given = self._context.forms.read(request)
        caller = await _signed_in(self._context, request)
        text = given.get("application", "")
        number = int(text) if text.isdecimal() and len(text) < 19 else None
        order = Order(word, given.get("reason", ""), number)
        try:
            await self._projects.act(_administrator(caller), project, order)
        except REFUSED as error:
            return told("Not decided", error, ACCOUNT)
        return going(f"/ui/projects/{project}")


class AccountDecisionPage:
    """``/ui/admin/users/<uuid>/accept`` and ``reject``."""

    def __init__(self, context: PageContext, moderation: Moderation) -> None:
        self._context = context
        self._moderation = moderation

    @operation("GET", "/users/<user>/<word>", auth=False, raw=True)
    async def show(
        self, request: IRequest, user: UUID, word: Literal["accept", "reject"]
    ) -> Answer[bytes]:
        """Ask whether to, and why."""
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(f"/ui/admin/users/{user}/{word}"))
        try:
            _administrator(caller)
        except REFUSED as error:
            return told("Nothing to decide for you", error, ACCOUNT)
        facts = [("Account", str(user))]
        return _asked(self._context, request, word, facts, {}, reason=word == "reject")

    @operation("POST", "/users/<user>/<word>", auth=False, raw=True)
    async def take(
        self, request: IRequest, user: UUID, word: Literal["accept", "reject"]
    ) -> Answer[bytes]:
        """Decide."""
        given = self._context.forms.read(request)
        caller = await _signed_in(self._context, request)
        try:
            actor = Actor.of(_administrator(caller))
            if word == "accept":
                await self._moderation.accept(user, actor)
            else:
                await self._moderation.reject(user, given.get("reason", ""), actor)
        except REFUSED as error:
            return told("Not decided", error, ACCOUNT)
        words = "accepted" if word == "accept" else "rejected"
        return plain(f"The account was {words}", links=[ACCOUNT])


def _asked(
    context: PageContext,
    request: IRequest,
    word: str,
    facts: list[tuple[str, str]],
    hidden: Mapping[str, str],
    *,
    reason: bool = True,
) -> Answer[bytes]:
    return context.forms.answer(
        request,
        LABELS[word],
        facts=facts,
        fields=[Field("reason", "Reason", needed=False)] if reason else [],
        hidden=hidden,
        button=LABELS[word],
        links=[ACCOUNT],
    )


def _administrator(caller: Caller) -> Caller:
    """``caller``, if he decides here.

    :raises Forbidden: he does not.
    """
    if not caller.is_admin:
        raise Forbidden("administrators decide about this")
    return caller


async def _signed_in(context: PageContext, request: IRequest) -> Caller:
    caller = await context.caller(request)
    if caller is None:
        raise Unauthorized("sign in first")
    return caller
