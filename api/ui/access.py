"""The page of tokens: for programs that act for somebody.

Source: ``spec/astakos.md`` §5.6, §5.9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta
from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.context import PROFILE, PageContext
from api.ui.paper import Field, Link, going, plain
from api.ui.recipes import Recipe, cloud_name
from snfd.accounts.held import HeldTokens, Made, Wanted
from snfd.accounts.model import HeldToken
from snfd.catalog import Catalog
from snfd.errors import Conflict, Forbidden, Invalid, NotFound
from snfd.identity.model import Caller
from snfd.projects.service import Projects

ACCESS = "/ui/api_access"
KINDS = ("personal", "weblogin")
"""Tokens that were handed to programs; those of logins end by themselves."""

MOST = 200
SHORT = 255
Ident = Annotated[str, Meta(max_length=64)]
BACK = Link(ACCESS, "Your tokens")
ONCE = (
    "It is shown only now. Who has it can act for you: keep it where nobody else reads."
)


class AccessPages:
    """``/ui/api_access``."""

    def __init__(
        self,
        context: PageContext,
        tokens: HeldTokens,
        projects: Projects,
        catalog: Catalog,
    ) -> None:
        self._context = context
        self._tokens = tokens
        self._projects = projects
        self._catalog = catalog

    @operation("GET", "", auth=False, raw=True)
    async def show(self, request: IRequest) -> Answer[bytes]:
        """The tokens that programs have, and a form for another."""
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(ACCESS))
        return await self._asking(request, caller)

    @operation("POST", "", auth=False, raw=True)
    async def make(self, request: IRequest) -> Answer[bytes]:
        """Make one, and show it with configurations of clients."""
        given = self._context.forms.read(request)
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(ACCESS))
        try:
            label, project = given.get("label", ""), await self._project(caller, given)
            made = await self._tokens.create(caller, Wanted(label, project=project))
        except (Invalid, Conflict, Forbidden) as error:
            return await self._asking(request, caller, given, error)
        return self._made(caller, made)

    @operation("GET", "/<ident>", auth=False, raw=True)
    async def one(self, request: IRequest, ident: Ident) -> Answer[bytes]:
        """One token, and a form that ends it."""
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(f"{ACCESS}/{ident}"))
        for held in await self._held(caller):
            if held.id == ident:
                return self._context.forms.answer(
                    request,
                    _named(held),
                    facts=_facts(held),
                    button="End this token",
                    links=[BACK],
                )
        raise NotFound("there is no such token; it may have ended")

    @operation("POST", "/<ident>", auth=False, raw=True)
    async def end(self, request: IRequest, ident: Ident) -> Answer[bytes]:
        """End it."""
        self._context.forms.read(request)
        caller = await self._context.caller(request)
        if caller is None:
            return going(self._context.login_url(ACCESS))
        await self._tokens.end(caller, ident, KINDS)
        return going(ACCESS)

    async def _held(self, caller: Caller) -> Sequence[HeldToken]:
        return await self._tokens.all(caller, KINDS, None, MOST)

    async def _project(self, caller: Caller, given: Mapping[str, str]) -> UUID | None:
        name = given.get("project", "").strip()[:SHORT]
        if not name:
            return None
        found = await self._projects.of_user(caller, caller.user, name)
        if not found.projects:
            raise Invalid("you are a member of no project of that name")
        return found.projects[0].uuid

    async def _asking(
        self,
        request: IRequest,
        caller: Caller,
        given: Mapping[str, str] | None = None,
        error: Exception | None = None,
    ) -> Answer[bytes]:
        given = given or {}
        held = await self._held(caller)
        label = Field("label", "What it is for", value=given.get("label", "")[:SHORT])
        project = Field(
            "project",
            "Only for this project; empty for all of yours",
            value=given.get("project", "")[:SHORT],
            needed=False,
        )
        return self._context.forms.answer(
            request,
            "Access for programs",
            status=200 if error is None else 400,
            problem="" if error is None else str(error),
            text="A program shows a token instead of your password.",
            facts=[("Identity service", self._catalog.identity("v3"))],
            fields=[label, project],
            button="Make a token",
            links=[
                *(Link(f"{ACCESS}/{one.id}", _summary(one)) for one in held),
                Link(PROFILE, "Your account"),
            ],
        )

    def _made(self, caller: Caller, made: Made) -> Answer[bytes]:
        recipe = Recipe(
            self._catalog,
            cloud_name(self._context.service),
            caller.username,
            str(made.token.project or caller.project),
            made.secret,
        )
        return plain(
            "Your new token",
            text=ONCE,
            facts=_facts(made.token),
            blocks=[("The token", made.secret), *recipe.files()],
            links=[BACK],
        )


def _named(one: HeldToken) -> str:
    return one.label or "A token without a name"


def _summary(one: HeldToken) -> str:
    return f"{_named(one)}, since {_day(one.created)}"


def _facts(one: HeldToken) -> Sequence[tuple[str, str]]:
    used = "never" if one.last_used is None else _day(one.last_used)
    return [
        ("For", one.project_name or "all your projects"),
        ("Made", _day(one.created)),
        ("Ends", _day(one.expires)),
        ("Last used", used),
    ]


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")
