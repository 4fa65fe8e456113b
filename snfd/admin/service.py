"""What administrators see of a cloud."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen

from snfd.admin import project_store, store
from snfd.admin.contact import Contact
from snfd.admin.doctor import Doctor
from snfd.admin.model import (
    Ask,
    GroupAsk,
    GroupRow,
    MailAsk,
    MailRow,
    MembershipOf,
    Page,
    TokenAsk,
    TokenRow,
    UserAsk,
    UserFacts,
    UserRow,
)
from snfd.admin.numbers import Numbers
from snfd.admin.project_model import (
    ApplicationFacts,
    CommissionAsk,
    CommissionFacts,
    CommissionRow,
    EntryFacts,
    LimitFacts,
    MemberAsk,
    MemberRow,
    ProjectAsk,
    ProjectFacts,
    ProjectRow,
    ProvisionFacts,
    QuotaAsk,
    QuotaRow,
    ResourceAsk,
    ResourceRow,
)
from snfd.admin.rights import VIEWERS, Staff, staff
from snfd.admin.statistics import Statistics
from snfd.audit import Actor, Trail
from snfd.clock import Seconds, now
from snfd.db.port import Database
from snfd.errors import Forbidden, NotFound, Unauthorized
from snfd.identity.credentials import require_unrestricted
from snfd.identity.model import ADMIN, APPCRED, Caller, Token
from snfd.identity.service import MISSING, resolved
from snfd.mail.box import Outbox
from snfd.mail.service import Post
from snfd.projects.wired import ProjectServices
from snfd.quota.admin import QuotaAdmin


@frozen(eq=False)
class Finder:
    """Knows who and what is meant by a name."""

    db: Database

    async def user(self, name: str) -> UUID:
        """The user with this uuid, username or e-mail.

        :raises NotFound: there is none.
        """
        return await self._uuid(store.USER_UUID, name, "user")

    async def project(self, name: str) -> UUID:
        """The project with this uuid or name.

        :raises NotFound: there is none.
        """
        return await self._uuid(project_store.PROJECT_UUID, name, "project")

    async def _uuid(self, sql: str, name: str, what: str) -> UUID:
        row = await store.one(self.db, sql, name, what)
        found: UUID = row[0]
        return found

    async def resolved(self, ask: Ask) -> dict[str, UUID | None]:
        """The uuids of the user, owner and project that ``ask`` names, by field."""
        kinds = {"user": self.user, "owner": self.user, "project": self.project}
        found: dict[str, UUID | None] = {}
        for name, look in kinds.items():
            if hasattr(ask, name):
                text = getattr(ask, name)
                found[name] = None if text is None else await look(text)
        return found


@frozen(eq=False)
class Directory:
    """Lists of people and what is theirs, for those who look after the cloud."""

    db: Database
    find: Finder

    async def users(self, ask: UserAsk) -> Page[UserRow]:
        """Users in the order in which they came."""
        return await store.page(self.db, store.USERS, ask)

    async def user(self, name: str) -> UserFacts:
        """One user, by uuid, username or e-mail.

        :raises NotFound: there is none.
        """
        uuid = await self.find.user(name)
        row = await store.one(self.db, store.USER, uuid, "user")
        projects = await self.db.read(store.PROJECTS_OF, {"wanted": uuid})
        return UserFacts(*(*row, [MembershipOf(*one) for one in projects]))

    async def groups(self, ask: GroupAsk) -> Page[GroupRow]:
        """Groups by name."""
        return await store.page(self.db, store.GROUP_LIST, ask)

    async def tokens(self, ask: TokenAsk) -> Page[TokenRow]:
        """Tokens that are good, without browsers' sessions."""
        asked = await self.find.resolved(ask)
        return await store.page(self.db, store.TOKENS, ask, asked)

    async def sessions(self, ask: TokenAsk) -> Page[TokenRow]:
        """Browsers' sessions that are good."""
        asked = await self.find.resolved(ask)
        return await store.page(self.db, store.SESSIONS, ask, asked)

    async def mails(self, ask: MailAsk) -> Page[MailRow]:
        """Letters, newest first."""
        return await store.page(self.db, store.MAILS, ask)


@frozen(eq=False)
class Ledger:
    """Lists of projects and of what may be used and is."""

    db: Database
    find: Finder

    async def projects(self, ask: ProjectAsk) -> Page[ProjectRow]:
        """Projects in the order of their uuids."""
        asked = await self.find.resolved(ask)
        return await store.page(self.db, project_store.PROJECTS, ask, asked)

    async def project(self, name: str) -> ProjectFacts:
        """One project, by uuid or name.

        :raises NotFound: there is none.
        """
        uuid = await self.find.project(name)
        row = await store.one(self.db, project_store.PROJECT, uuid, "project")
        limits = await self.db.read(project_store.LIMITS, {"wanted": uuid})
        past = await self.db.read(project_store.HISTORY, {"wanted": uuid})
        applied = await self.db.read(project_store.APPLICATION, {"wanted": uuid})
        return ProjectFacts(
            *(
                *row,
                [ApplicationFacts(*one) for one in applied],
                [LimitFacts(*one) for one in limits],
                [EntryFacts(*one) for one in past],
            )
        )

    async def application(self, project: UUID) -> int:
        """The number of the last application for a project.

        :raises NotFound: there never was one.
        """
        for row in await self.db.read(project_store.APPLICATION, {"wanted": project}):
            number: int = row[0]
            return number
        raise NotFound(f"nobody applied for project {project}")

    async def members(self, name: str, ask: MemberAsk) -> Page[MemberRow]:
        """Members of one project, in the order of their uuids."""
        uuid = await self.find.project(name)
        return await store.page(self.db, project_store.MEMBERS, ask, {"project": uuid})

    async def quotas(self, ask: QuotaAsk) -> Page[QuotaRow]:
        """Limits and usage."""
        asked = await self.find.resolved(ask)
        return await store.page(self.db, project_store.QUOTAS, ask, asked)

    async def commissions(self, ask: CommissionAsk) -> Page[CommissionRow]:
        """Pending commissions, oldest first."""
        return await store.page(self.db, project_store.COMMISSIONS, ask)

    async def commission(self, serial: int) -> CommissionFacts:
        """One pending commission.

        :raises NotFound: it was resolved, or there never was one.
        """
        row = await store.one(
            self.db, project_store.COMMISSION, serial, "pending commission"
        )
        parts = await self.db.read(project_store.PROVISIONS, {"wanted": serial})
        return CommissionFacts(*(*row, [ProvisionFacts(*one) for one in parts]))

    async def resources(self, ask: ResourceAsk) -> Page[ResourceRow]:
        """Everything that is counted, by name."""
        return await store.page(self.db, project_store.RESOURCES, ask)


@frozen(eq=False, kw_only=True)
class Administration:
    """What the admin API needs besides the services that everybody uses."""

    db: Database
    clock: Seconds
    find: Finder
    directory: Directory
    ledger: Ledger
    numbers: Numbers
    doctor: Doctor
    statistics: Statistics
    outbox: Outbox
    trail: Trail
    contact: Contact

    @classmethod
    def build(
        cls,
        db: Database,
        clock: Seconds,
        projects: ProjectServices,
        post: Post,
        doctor: Doctor,
    ) -> Administration:
        """All of it, over ``db``."""
        find = Finder(db)
        return cls(
            db=db,
            clock=clock,
            find=find,
            directory=Directory(db, find),
            ledger=Ledger(db, find),
            numbers=Numbers(db, projects.admin, QuotaAdmin(db)),
            doctor=doctor,
            statistics=Statistics(db, clock),
            outbox=Outbox(db, clock),
            trail=Trail(db),
            contact=Contact(db, post, projects.parts.new_id),
        )

    async def staff(self, token: str | None) -> Staff:
        """Who presents ``token``, if he looks after the cloud.

        :raises Unauthorized: no token, or none that is good.
        :raises Forbidden: it is somebody else's, or for one project or program.
        """
        if not token:
            raise Unauthorized(MISSING)
        found = await resolved(self.db, token, now(self.clock))
        if found.kind == APPCRED and ADMIN not in found.roles:
            raise Forbidden("this credential may not look after the cloud")
        await self._check_free(found)
        groups = [group.name for group in found.groups]
        return staff(Actor.of(found.caller), groups)

    async def _check_free(self, token: Token) -> None:
        """Pass unless a token is for one project or program, not for its owner.

        It could make itself members, components, passwords or tokens.

        :raises Forbidden: it is.
        """
        if token.confined:
            await self.db.run(require_unrestricted, token.hash)

    async def viewer(self, token: str | None) -> Caller:
        """Who presents ``token``, if he may see statistics.

        :raises Unauthorized: as `staff`.
        :raises Forbidden: as `staff`.
        """
        if not token:
            raise Unauthorized(MISSING)
        found = await resolved(self.db, token, now(self.clock))
        await self._check_free(found)
        if VIEWERS.isdisjoint(group.name for group in found.groups):
            raise Forbidden(f"only for members of {', '.join(sorted(VIEWERS))}")
        return found.caller
