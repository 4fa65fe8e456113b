"""Terms of service as pages: to be read by everybody, and agreed to.

Source: ``spec/astakos.md`` §5.4, §5.9.
"""

from __future__ import annotations

from twisted.web.iweb import IRequest

from api import cookies
from api.operations import Answer, operation
from api.ui.context import HOME, TERMS, PageContext
from api.ui.letters import REFUSED, told
from api.ui.paper import HTML, Link, plain
from snfd.accounts.terms import Terms
from snfd.errors import Unauthorized
from snfd.identity.model import Caller

HTML_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
"""What terms in HTML may do: look as they like, and nothing else."""


class TermsPages:
    """``/ui/approval_terms``."""

    def __init__(self, context: PageContext, terms: Terms) -> None:
        self._context = context
        self._terms = terms

    @operation("GET", "", auth=False, raw=True)
    async def show(self, request: IRequest) -> Answer[bytes]:
        """Lead to the terms in force; ask whoever is logged in to agree."""
        newest = await self._terms.newest()
        if newest is None:
            return plain("Terms of service", text="There are none.")
        links = [Link(f"{TERMS}/{newest.id}", "Read the terms of service")]
        if await self._signer(request) is None:
            return plain("Terms of service", links=links)
        return self._context.forms.answer(
            request,
            "Terms of service",
            text="You use this cloud under these terms.",
            hidden={"terms": str(newest.id)},
            button="I agree",
            links=links,
        )

    @operation("POST", "", auth=False, raw=True)
    async def agree(self, request: IRequest) -> Answer[bytes]:
        """Agree to the terms that were shown."""
        given = self._context.forms.read(request).get("terms", "")
        caller = await self._signer(request)
        if caller is None:
            raise Unauthorized("sign in first")
        try:
            ident = int(given) if given.isdecimal() and len(given) < 19 else 0
            await self._terms.sign(caller, ident)
        except REFUSED as error:
            return told("Not agreed", error, Link(TERMS, "The terms in force"))
        return self._context.onward(HOME)

    @operation("GET", "/<ident>", auth=False)
    async def read(self, ident: int) -> Answer[bytes]:
        """One version, as it is."""
        found = await self._terms.get(ident)
        body = (found.body or "").encode()
        if found.format != "html":
            return Answer(body, headers={"Content-Type": "text/plain; charset=utf-8"})
        headers = {"Content-Type": HTML, "Content-Security-Policy": HTML_POLICY}
        return Answer(body, headers=headers)

    async def _signer(self, request: IRequest) -> Caller | None:
        secret = cookies.session_of(request)
        if secret is None:
            return None
        try:
            return await self._context.authenticator.signer(secret)
        except Unauthorized:
            return None
