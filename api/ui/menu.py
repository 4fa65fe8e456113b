"""What pages of all components show around themselves.

Source: ``spec/astakos.md`` §2.7.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from msgspec import UNSET, UnsetType
from twisted.web.iweb import IRequest

from api.operations import Reply, operation
from api.ui.context import PageContext
from snfd.config import Urls
from snfd.identity.people import People


class MenuItem(Reply):
    """A line of the user's menu."""

    url: str
    name: str


class Bar(Reply):
    """Whether, and as what, a service stands in the bar."""

    show: bool
    title: str | UnsetType = UNSET


class Dashboard(Reply):
    """Whether a service has a card, and what it says."""

    show: bool
    order: int
    description: str
    icon: str | UnsetType = UNSET


class ServiceCard(Reply):
    """One component with pages for people."""

    id: int
    name: str
    url: str
    order: int
    verbose_name: str
    cloudbar: Bar
    dashboard: Dashboard


@frozen
class _Card:
    name: str
    kinds: frozenset[str]
    path: str
    title: str
    words: str


_CARDS = (
    _Card("astakos", frozenset({"identity"}), "/ui/", "Account",
          "Your account, projects and quota"),
    _Card("cyclades", frozenset({"compute"}), "/ui/machines", "Machines",
          "Virtual machines, networks and disks"),
    _Card("pithos", frozenset({"objects"}), "/ui/files", "Files",
          "Files, kept and shared"),
)  # fmt: skip


class MenuApi:
    """``/ui/get_menu``, for whoever is logged in here, if anybody."""

    def __init__(self, context: PageContext, people: People) -> None:
        self._context = context
        self._people = people

    @operation("GET", "", auth=False, raw=True)
    async def menu(self, request: IRequest) -> list[MenuItem]:
        """List the lines of the user's menu."""
        base = f"{self._context.origin}/ui"
        caller = await self._context.caller(request)
        if caller is None:
            return [MenuItem(f"{base}/login", "Sign in")]
        user = await self._people.get(caller, caller.user)
        return [
            MenuItem(f"{base}/profile", user.email),
            MenuItem(f"{base}/", "Dashboard"),
            MenuItem(f"{base}/logout", "Sign out"),
        ]


class ServicesApi:
    """``/ui/get_services``.

    :param urls: of the components.
    :param enabled: kinds of services that there are.
    """

    def __init__(self, urls: Urls, enabled: frozenset[str]) -> None:
        self._urls = urls
        self._enabled = enabled

    @operation("GET", "", auth=False)
    async def services(self) -> list[ServiceCard]:
        """List the components that have pages."""
        return list(self._cards())

    def _cards(self) -> Sequence[ServiceCard]:
        there = [one for one in _CARDS if one.kinds & self._enabled]
        return [
            ServiceCard(
                number,
                one.name,
                f"{getattr(self._urls, one.name)}{one.path}",
                number,
                one.title,
                Bar(True, one.title),
                Dashboard(True, number, one.words),
            )
            for number, one in enumerate(there, 1)
        ]
