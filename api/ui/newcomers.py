"""The form of an account for somebody whom a login method vouches for."""

from __future__ import annotations

from typing import Any

from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.agreement import agreed, agreement
from api.ui.context import PageContext
from api.ui.methods import NEWCOMER, opened
from api.ui.paper import Field
from snfd.accounts.terms import Terms
from snfd.errors import Busy, Conflict, Invalid, NotFound
from snfd.logins.model import Newcomer, Pending
from snfd.logins.service import STALE

LABELS = {
    "email": "E-mail",
    "first_name": "First name",
    "last_name": "Last name",
}


class NewcomerPages:
    """``/ui/login/new``: what a new account needs to know."""

    def __init__(self, context: PageContext, terms: Terms) -> None:
        self._context = context
        self._terms = terms

    @operation("GET", "/new", auth=False, raw=True)
    async def show(self, request: IRequest) -> Answer[bytes]:
        """Ask for what the method did not tell."""
        key = self._key(request)
        pending = await self._context.weblogin.logins.pending(key)
        return await self._form(request, pending, pending.claims.fields)

    @operation("POST", "/new", auth=False, raw=True)
    async def take(self, request: IRequest) -> Answer[bytes]:
        """Open the account."""
        await self._context.door.admit(request)
        given = self._context.forms.read(request)
        key = self._key(request)
        pending = await self._context.weblogin.logins.pending(key)
        told = {name: given.get(name, "") for name in LABELS}
        try:
            newcomer = Newcomer(**told, terms=agreed(given))
            return await opened(self._context, request, key, newcomer)
        except (Invalid, Conflict) as error:
            return await self._form(request, pending, told, error)

    def _key(self, request: IRequest) -> str:
        """The key that the browser carries.

        :raises NotFound: none.
        """
        told = self._context.recall(request, NEWCOMER)
        if told is None or "key" not in told:
            raise NotFound(STALE)
        return told["key"]

    async def _form(
        self,
        request: IRequest,
        pending: Pending,
        told: Any,
        error: Invalid | Conflict | None = None,
    ) -> Answer[bytes]:
        way = self._context.weblogin.logins.way(pending.method)
        known = pending.claims.fields
        forced = {name for name in way.method.forced if name in known}
        fields = [
            Field(
                name,
                label,
                "email" if name == "email" else "text",
                (known if name in forced else told).get(name, ""),
                name in forced,
                needed=name == "email",
            )
            for name, label in LABELS.items()
        ]
        terms = await agreement(self._terms)
        return self._context.forms.answer(
            request,
            f"A new account with {way.method.title}",
            status=200 if error is None else 409 if isinstance(error, Busy) else 400,
            problem="" if error is None else error.message,
            fields=[*fields, *terms.fields],
            hidden=terms.hidden,
            button="Open the account",
            links=terms.links,
        )
