"""Accounts in the Swift dialect."""

from __future__ import annotations

from attrs import frozen
from twisted.web.http_headers import Headers

from api.objects import headers as http
from api.objects import listing, paths
from api.objects.dispatch import Call, Result, Route, page_of
from api.objects.swift import views
from api.operations import Answer
from snfd.objects.rules import SWIFT_META
from snfd.objects.service import ObjectStore

PREFIX = "AUTH_"
"""Stands before an account's uuid in a path."""


@frozen(eq=False)
class AccountsApi:
    """What can be done with accounts."""

    _store: ObjectStore

    def routes(self) -> list[Route]:
        """All of it."""
        return [
            Route("account", "HEAD", self.head, status=204),
            Route(
                "account",
                "GET",
                self.containers,
                list[views.ContainerEntry],
                also={204: None},
                query=listing.Listing,
            ),
            Route("account", "POST", self.describe, status=204),
        ]

    async def head(self, call: Call) -> Result:
        """Counters and metadata of an account."""
        account = paths.account(call.target, PREFIX)
        found = await self._store.accounts.show(call.caller, account)
        return Answer(None, 204, views.account_headers(found))

    async def containers(self, call: Call) -> Result:
        """One page of an account's containers."""
        uuid = paths.account(call.target, PREFIX)
        page = listing.query(call.args, listing.strict_limit(call.args), pithos=False)
        kind = listing.chosen(call.args, call.header("accept"))
        account = await self._store.accounts.show(call.caller, uuid)
        found = await self._store.accounts.containers(call.caller, uuid, page)
        body = views.containers(found, kind, call.target.account)
        return page_of(body, kind, views.account_headers(account))

    async def describe(self, call: Call) -> Result:
        """Change the metadata of an account."""
        account = paths.account(call.target, PREFIX)
        meta = changes(call.headers, "account")
        await self._store.accounts.describe(
            call.caller, account, meta, SWIFT_META, replace=False
        )
        return Answer(None, 204)


def changes(headers: Headers, kind: str) -> dict[str, str]:
    """Metadata to set, and with an empty value what to take away."""
    gone = http.metadata(headers, f"x-remove-{kind}-meta-", views.CODEC)
    new = http.metadata(headers, f"x-{kind}-meta-", views.CODEC)
    return {**dict.fromkeys(gone, ""), **new}
