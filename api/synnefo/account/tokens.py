"""Tokens and sessions that people hold.

Source: ``spec/astakos.md`` §5.6, W19.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from api.operations import Reply, operation
from api.paging import moment
from api.times import micros_offset
from snfd.accounts.held import LIST, SESSIONS, HeldTokens, Made, Wanted
from snfd.accounts.model import HeldToken
from snfd.identity.model import Caller

MOST = 1000
"""The most tokens on one page."""


class TokensQuery(Struct):
    """A page of tokens: so many after the one with the id ``marker``."""

    limit: Annotated[int, Meta(ge=1, le=MOST)] = MOST
    marker: Annotated[str, Meta(max_length=64)] | None = None


class NewToken(Struct):
    """Body of ``POST /tokens``; ``expires`` is a time, null the latest there may be.

    ``project`` binds it to one project of the caller's.
    """

    label: Annotated[str, Meta(max_length=255)] = ""
    expires: Annotated[str, Meta(max_length=64)] | None = None
    project: UUID | None = None

    def wanted(self) -> Wanted:
        """What the service takes."""
        expires = None if self.expires is None else moment(self.expires, "expires")
        return Wanted(self.label, expires, self.project)


class TokenView(Reply):
    """A token, without its secret.

    :ivar current: whether the request presents it.
    """

    id: str
    kind: str
    label: str
    project: UUID | None
    project_name: str | None
    created: str
    expires: str
    last_used: str | None
    current: bool

    @classmethod
    def of(cls, one: HeldToken) -> TokenView:
        """All of it."""
        return cls(
            id=one.id,
            kind=one.kind,
            label=one.label,
            project=one.project,
            project_name=one.project_name,
            created=micros_offset(one.created),
            expires=micros_offset(one.expires),
            last_used=_when(one.last_used),
            current=one.current,
        )


def _when(at: datetime | None) -> str | None:
    return None if at is None else micros_offset(at)


class TokenMade(Reply):
    """A new token; ``secret`` is what ``X-Auth-Token`` carries, told only now."""

    secret: str
    token: TokenView

    @classmethod
    def of(cls, made: Made) -> TokenMade:
        """Both."""
        return cls(made.secret, TokenView.of(made.token))


class TokensPage(Reply):
    """Tokens, newest first."""

    tokens: list[TokenView]


class SessionsPage(Reply):
    """Browsers' sessions, newest first."""

    sessions: list[TokenView]


class HeldTokensApi:
    """The ``/tokens`` and ``/sessions`` resources."""

    def __init__(self, tokens: HeldTokens) -> None:
        self._tokens = tokens

    @operation("GET", "/tokens", query=TokensQuery)
    async def tokens(self, caller: Caller, query: TokensQuery) -> TokensPage:
        """List the caller's tokens, but for sessions and application credentials."""
        found = await self._tokens.all(caller, LIST, query.marker, query.limit)
        return TokensPage([TokenView.of(one) for one in found])

    @operation("POST", "/tokens", body=NewToken, status=201)
    async def create(self, caller: Caller, body: NewToken) -> TokenMade:
        """Make a token for a program."""
        return TokenMade.of(await self._tokens.create(caller, body.wanted()))

    @operation("DELETE", "/tokens/<ident>", status=204)
    async def end(self, caller: Caller, ident: str) -> None:
        """End a token."""
        await self._tokens.end(caller, ident, LIST)

    @operation("GET", "/sessions", query=TokensQuery)
    async def sessions(self, caller: Caller, query: TokensQuery) -> SessionsPage:
        """List the browsers in which the caller is logged in."""
        found = await self._tokens.all(caller, SESSIONS, query.marker, query.limit)
        return SessionsPage([TokenView.of(one) for one in found])

    @operation("DELETE", "/sessions/<ident>", status=204)
    async def end_session(self, caller: Caller, ident: str) -> None:
        """Log a browser out."""
        await self._tokens.end(caller, ident, SESSIONS)
