"""Adding login methods without which an account is not let in.

Whoever proved who he is and lacks one has no session yet; his browser carries
what he proved. Source: ``spec/astakos.md`` §5.3, policy *required*.
"""

from __future__ import annotations

from uuid import UUID

from twisted.web.iweb import IRequest

from api.operations import Answer, operation
from api.ui.context import PATH, PageContext
from api.ui.paper import Link, going, plain
from snfd.errors import NotFound
from snfd.logins.redirects import plus_query
from snfd.logins.required import Lacking
from snfd.logins.service import STALE

LACKING = "lacking"
PAGE = f"{PATH}/required"


class RequiredPage:
    """``/ui/login/required``: what must be added."""

    def __init__(self, context: PageContext) -> None:
        self._context = context

    @operation("GET", "/required", auth=False, raw=True)
    async def show(self, request: IRequest) -> Answer[bytes]:
        """Lead to the methods that are lacking."""
        found = lacking_of(self._context, request)
        told = self._context.recall(request, LACKING)
        if found is None or told is None:
            raise NotFound(STALE)
        ways = self._context.weblogin.logins.ways
        links = [
            Link(
                plus_query(f"{PATH}/{name}", next=told["next"]),
                f"Add {ways[name].method.title}",
            )
            for name in found.methods
            if name in ways
        ]
        return plain(
            "One more step",
            text="Your account must have another way to sign in before you can go on.",
            links=links,
        )


def sent_to_add(
    context: PageContext, request: IRequest, found: Lacking, next_: str
) -> Answer[bytes]:
    """Have the browser carry what was proved, and lead on to what is lacking."""
    carried = {
        "user": str(found.user),
        "name": found.name,
        "how": " ".join(found.how),
        "methods": " ".join(found.methods),
        "mark": found.mark,
        "next": next_,
    }
    context.remember(request, LACKING, carried)
    return going(PAGE)


def lacking_of(
    context: PageContext, request: IRequest, name: str = ""
) -> Lacking | None:
    """Who proved who he is with this browser, and lacks the method ``name``.

    Nobody where another site sent the browser here.
    """
    if request.getHeader("sec-fetch-site") in ("cross-site", "same-site"):
        return None
    return carried(context, request, name)


def carried(context: PageContext, request: IRequest, name: str = "") -> Lacking | None:
    """The same for somebody who comes back from a method's page."""
    told = context.recall(request, LACKING)
    if told is None:
        return None
    methods = tuple(told["methods"].split())
    if name and name not in methods:
        return None
    how = tuple(told["how"].split())
    return Lacking(UUID(told["user"]), told["name"], how, methods, told["mark"])
