"""Looking at users, projects, quotas and what happened."""

from __future__ import annotations

from typing import Generic, TypeVar

from api.operations import Reply, operation
from api.paging import RowId
from snfd.admin.model import (
    GroupAsk,
    GroupRow,
    Page,
    TokenAsk,
    TokenRow,
    UserAsk,
    UserFacts,
    UserRow,
)
from snfd.admin.project_model import (
    CommissionAsk,
    CommissionFacts,
    CommissionRow,
    MemberAsk,
    MemberRow,
    ProjectAsk,
    ProjectFacts,
    ProjectRow,
    QuotaAsk,
    QuotaRow,
    ResourceAsk,
    ResourceRow,
)
from snfd.admin.reading import Readings
from snfd.admin.rights import Staff
from snfd.admin.service import Directory, Ledger

R = TypeVar("R")


class Listing(Reply, Generic[R]):
    """A page of a list.

    :ivar next: the ``marker`` of the page after; null on the last one.
    """

    items: list[R]
    next: str | None

    @classmethod
    def of(cls, page: Page[R]) -> Listing[R]:
        """A page."""
        return cls(page.items, page.next)


class DirectoryApi:
    """People and what is theirs."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._told = Readings(directory.db).told_of_helpers

    @operation("GET", "/users", query=UserAsk)
    async def users(self, staff: Staff, query: UserAsk) -> Listing[UserRow]:
        """List users in the order in which they came."""
        await self._told(staff, "user.list", f"user:{query.search or '*'}")
        return Listing.of(await self._directory.users(query))

    @operation("GET", "/users/<user>")
    async def user(self, staff: Staff, user: str) -> UserFacts:
        """Show a user, named by uuid, username or e-mail."""
        found = await self._directory.user(user)
        await self._told(staff, "user.show", f"user:{found.uuid}")
        return found

    @operation("GET", "/groups", query=GroupAsk)
    async def groups(self, staff: Staff, query: GroupAsk) -> Listing[GroupRow]:
        """List groups of users."""
        return Listing.of(await self._directory.groups(query))

    @operation("GET", "/tokens", query=TokenAsk)
    async def tokens(self, staff: Staff, query: TokenAsk) -> Listing[TokenRow]:
        """List tokens that are good; never their secrets."""
        await self._told(staff, "token.list", f"user:{query.user or '*'}")
        return Listing.of(await self._directory.tokens(query))

    @operation("GET", "/sessions", query=TokenAsk)
    async def sessions(self, staff: Staff, query: TokenAsk) -> Listing[TokenRow]:
        """List browsers' sessions."""
        await self._told(staff, "session.list", f"user:{query.user or '*'}")
        return Listing.of(await self._directory.sessions(query))


class LedgerApi:
    """Projects, and what may be used and is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @operation("GET", "/projects", query=ProjectAsk)
    async def projects(self, staff: Staff, query: ProjectAsk) -> Listing[ProjectRow]:
        """List projects; people's own ones with ``system=true``."""
        return Listing.of(await self._ledger.projects(query))

    @operation("GET", "/projects/<project>")
    async def project(self, staff: Staff, project: str) -> ProjectFacts:
        """Show a project, named by uuid or name."""
        return await self._ledger.project(project)

    @operation("GET", "/projects/<project>/members", query=MemberAsk)
    async def members(
        self, staff: Staff, project: str, query: MemberAsk
    ) -> Listing[MemberRow]:
        """List the members of a project, in every state."""
        return Listing.of(await self._ledger.members(project, query))

    @operation("GET", "/quotas", query=QuotaAsk)
    async def quotas(self, staff: Staff, query: QuotaAsk) -> Listing[QuotaRow]:
        """List limits and usage, per member or per project."""
        return Listing.of(await self._ledger.quotas(query))

    @operation("GET", "/commissions", query=CommissionAsk)
    async def commissions(
        self, staff: Staff, query: CommissionAsk
    ) -> Listing[CommissionRow]:
        """List pending commissions, oldest first."""
        return Listing.of(await self._ledger.commissions(query))

    @operation("GET", "/commissions/<serial>")
    async def commission(self, staff: Staff, serial: RowId) -> CommissionFacts:
        """Show a pending commission and its provisions."""
        return await self._ledger.commission(serial)

    @operation("GET", "/resources", query=ResourceAsk)
    async def resources(self, staff: Staff, query: ResourceAsk) -> Listing[ResourceRow]:
        """List everything that is counted."""
        return Listing.of(await self._ledger.resources(query))
