"""Terms of service.

Source: ``spec/astakos.md`` §5.4, W20.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Self

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.dispatch import token_of
from api.operations import OWN, Reply, operation
from api.times import micros_offset
from snfd.accounts.model import TermsVersion
from snfd.accounts.terms import Terms
from snfd.identity.model import Caller

MOST = 100
"""The most versions on one page."""


class TermsQuery(Struct):
    """A page of versions: so many before the one called ``marker``."""

    limit: Annotated[int, Meta(ge=1, le=MOST)] = MOST
    marker: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None


class TermsView(Reply):
    """A version of the terms of service.

    :ivar enforced: from then on API tokens of those who did not sign are refused.
    """

    id: int
    issued: str
    enforced: str
    format: str

    @classmethod
    def of(cls, one: TermsVersion) -> Self:
        """Without the text."""
        times = micros_offset(one.issued_at), micros_offset(one.enforced_at)
        return cls(one.id, *times, one.format)


class TermsText(TermsView):
    """The same with its text."""

    body: str = ""

    @classmethod
    def whole(cls, one: TermsVersion) -> Self:
        """With the text."""
        found = cls.of(one)
        found.body = one.body or ""
        return found


class TermsPage(Reply):
    """Versions, newest first.

    :ivar current: the id of the one in force; null where there are none.
    """

    current: int | None
    terms: list[TermsView]


class TermsApi:
    """The ``/terms`` resources.

    :param signer: says who presents a token, also where terms lock him out.
    """

    def __init__(
        self, terms: Terms, signer: Callable[[str | None], Awaitable[Caller]]
    ) -> None:
        self._terms = terms
        self._signer = signer

    @operation("GET", "/terms", query=TermsQuery, auth=False)
    async def all(self, query: TermsQuery) -> TermsPage:
        """List the versions of the terms of service."""
        newest = await self._terms.newest()
        found = await self._terms.all(query.marker, query.limit)
        current = None if newest is None else newest.id
        return TermsPage(current, [TermsView.of(one) for one in found])

    @operation("GET", "/terms/<ident>", auth=False)
    async def get(self, ident: int) -> TermsText:
        """Show one version."""
        return TermsText.whole(await self._terms.get(ident))

    @operation("POST", "/terms/<ident>/sign", auth=OWN, raw=True, status=204)
    async def sign(self, request: IRequest, ident: int) -> None:
        """Agree to the newest terms of service, also with a token they lock out."""
        caller = await self._signer(token_of(request))
        await self._terms.sign(caller, ident)
