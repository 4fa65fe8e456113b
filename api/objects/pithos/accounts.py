"""Accounts in the Pithos dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from api.objects import headers as http
from api.objects import listing, paths
from api.objects.dispatch import Call, Result, Route, page_of, refuse_keys
from api.objects.pithos import views
from api.operations import Answer
from snfd.errors import NotImplementedHere
from snfd.objects.rules import PITHOS_META
from snfd.objects.service import ObjectStore
from snfd.quota.service import Quota

LATER = ("until", "shared", "public", "meta", "delta")
"""Keys of listings that are not served yet."""

DISKSPACE = "pithos.diskspace"


@frozen(eq=False)
class AccountsApi:
    """What can be done with accounts."""

    _store: ObjectStore
    _quota: Quota

    def routes(self) -> list[Route]:
        """All of it."""
        pages: Any = {"also": {204: None}, "query": listing.Listing}
        return [
            Route("top", "GET", self.others, list[views.AccountEntry], **pages),
            Route("account", "HEAD", self.head, status=204),
            Route(
                "account", "GET", self.containers, list[views.ContainerEntry], **pages
            ),
            Route("account", "POST", self.describe, status=202),
        ]

    async def others(self, call: Call) -> Result:
        """One page of the accounts of others that one may read."""
        page = listing.query(call.args, listing.capped_limit(call.args), pithos=True)
        kind = listing.chosen(call.args, call.header("accept"))
        found = await self._store.accounts.others(call.caller, page)
        return page_of(views.accounts(found, kind), kind, {})

    async def head(self, call: Call) -> Result:
        """Counters, metadata and quota of an account."""
        refuse_keys(call.args, LATER)
        return Answer(None, 204, await self._headers(call))

    async def containers(self, call: Call) -> Result:
        """One page of an account's containers."""
        refuse_keys(call.args, LATER)
        uuid = paths.account(call.target, "")
        page = listing.query(call.args, listing.capped_limit(call.args), pithos=True)
        kind = listing.chosen(call.args, call.header("accept"))
        headers = await self._headers(call)
        found = await self._store.accounts.containers(call.caller, uuid, page)
        return page_of(views.containers(found, kind, str(uuid)), kind, headers)

    async def describe(self, call: Call) -> Result:
        """Change the metadata of an account."""
        uuid = paths.account(call.target, "")
        if http.metadata(call.headers, "x-account-group-", views.CODEC):
            raise NotImplementedHere("groups are not served by this cloud yet")
        meta = tilde(http.metadata(call.headers, "x-account-meta-", views.CODEC))
        replace = not call.flag("update")
        await self._store.accounts.describe(
            call.caller, uuid, meta, PITHOS_META, replace
        )
        return Answer(None, 202)

    async def _headers(self, call: Call) -> Mapping[str, str]:
        uuid = paths.account(call.target, "")
        account = await self._store.accounts.show(call.caller, uuid)
        headers = views.account_headers(account)
        if uuid != call.caller.user:
            return headers
        usage = await self._quota.usage(call.caller)
        limits = {
            project: found[DISKSPACE].effective_limit
            for project, found in usage.items()
            if DISKSPACE in found
        }
        return {**headers, **views.quota_headers(limits)}


def tilde(meta: Mapping[str, str]) -> dict[str, str]:
    """``meta`` with ``~`` read as empty: browsers cannot send empty headers."""
    return {key: "" if value == "~" else value for key, value in meta.items()}
