"""Filters that many lists of identity v3 take."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from twisted.web.iweb import IRequest

from api.paging import Limit, following
from snfd.identity.model import DOMAIN_ID

Name = Annotated[str, Meta(max_length=255)]


class Filter(Struct):
    """Filters of a list; things of another domain do not exist."""

    name: Name | None = None
    domain_id: Name = DOMAIN_ID

    @property
    def here(self) -> bool:
        """Whether it asks for things of the one domain."""
        return self.domain_id == DOMAIN_ID


class PageFilter(Filter):
    """The same, of a list that comes in pages."""

    limit: Limit | None = None
    marker: UUID | None = None


def next_page(url: str, query: PageFilter, last: UUID | None) -> str | None:
    """The address of the page after ``last``; None where that is None."""
    if last is None:
        return None
    (link,) = following(url, query, last)
    return link.href


def said(request: IRequest, key: str, value: str | None) -> bool:
    """Whether the query has ``key``, alone or with a value that is no no.

    twisted.web drops a key without ``=``.
    """
    bare = request.uri.partition(b"?")[2].split(b"&")
    if value is None:
        return key.encode() in bare
    return value.lower() not in ("0", "false", "no")
