"""Values → replies of the Synnefo dialect's identity and account services.

Shapes: ``spec/astakos.md`` §2.1.2, §2.2–§2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from msgspec import UNSET, UnsetType
from msgspec import field as named

from api.links import Link, MediaType
from api.operations import Reply
from api.times import micros_offset
from snfd.catalog import Catalog, SynnefoEndpoint
from snfd.identity.model import Issued, Names, Token
from snfd.quota.model import Resource, Usage


class Version(Reply, rename="kebab"):
    """A version of an API."""

    id: str
    status: str
    updated: str
    links: list[Link]
    media_types: list[MediaType]


class VersionDocument(Reply):
    """What stands at the root of a version."""

    version: Version

    @classmethod
    def of(cls, catalog: Catalog) -> VersionDocument:
        """The document of identity v2.0."""
        media = MediaType(
            "application/json", "application/vnd.openstack.identity-v2.0+json"
        )
        link = Link("self", catalog.identity("v2.0") + "/")
        version = Version("v2.0", "CURRENT", "2014-04-17T00:00:00Z", [link], [media])
        return cls(version)


class Tenant(Reply):
    """The project that a token acts in."""

    id: UUID
    name: str


class TokenPart(Reply):
    """The token itself."""

    id: str
    expires: str
    tenant: Tenant


class Role(Reply):
    """A group of the user."""

    id: str
    name: str


class UserPart(Reply):
    """Whose token it is."""

    id: UUID
    name: str
    roles: list[Role]
    roles_links: list[str]
    projects: list[UUID]


class Endpoint(Reply):
    """Where a service is."""

    public_url: str = named(name="publicURL")
    version: str = named(name="versionId")
    region: str
    ui_url: str = named(name="SNF:uiURL")
    expose_version: str | UnsetType = named(name="SNF:exposeVersion", default=UNSET)
    weblogin_url: str | UnsetType = named(name="SNF:webloginURL", default=UNSET)


class Service(Reply):
    """A service with its endpoints; ours have one each."""

    name: str
    type: str
    endpoints_links: list[str]
    endpoints: list[Endpoint]

    @classmethod
    def all(cls, catalog: Catalog) -> list[Service]:
        """The services of the catalog, in its order."""
        found: dict[str, Service] = {}
        for one in catalog.synnefo():
            service = found.setdefault(one.name, cls(one.name, one.type, [], []))
            service.endpoints.append(_endpoint(one))
        return list(found.values())


def _endpoint(one: SynnefoEndpoint) -> Endpoint:
    return Endpoint(
        public_url=one.url,
        version=one.version,
        region=one.region,
        ui_url=one.ui_url,
        expose_version=str(one.exposed) if one.version else UNSET,
        weblogin_url=one.weblogin_url or UNSET,
    )


class Access(Reply, rename={"catalog": "serviceCatalog"}):
    """What a token is good for; without one, only where the services are."""

    catalog: list[Service]
    token: TokenPart | UnsetType = UNSET
    user: UserPart | UnsetType = UNSET


class AccessReply(Reply):
    """Answer of ``POST /tokens``."""

    access: Access

    @classmethod
    def public(cls, catalog: Catalog) -> AccessReply:
        """Only the catalog."""
        return cls(Access(Service.all(catalog)))

    @classmethod
    def of(cls, issued: Issued, catalog: Catalog) -> AccessReply:
        """The catalog, the token and its user."""
        reply = cls.public(catalog)
        token = issued.token
        reply.access.token = TokenPart(
            issued.secret,
            micros_offset(token.expires),
            tenant(token),
        )
        reply.access.user = UserPart(
            id=token.user.uuid,
            name=token.user.name,
            roles=[Role(str(group.id), group.name) for group in token.groups],
            roles_links=[],
            projects=list(token.projects),
        )
        return reply


class NameCatalogs(Reply):
    """Answer of ``POST /user_catalogs``."""

    uuid_catalog: dict[str, str]
    displayname_catalog: dict[str, str]

    @classmethod
    def of(cls, names: Names) -> NameCatalogs:
        """Both directions, as they were asked."""
        return cls(dict(names.by_uuid), dict(names.by_name))

    def completed(self, everyone: Names, *, uuids: bool, names: bool) -> NameCatalogs:
        """The same, with everyone in one of the catalogs, or in both."""
        return NameCatalogs(
            dict(everyone.by_uuid) if uuids else self.uuid_catalog,
            dict(everyone.by_name) if names else self.displayname_catalog,
        )


class ResourceView(Reply):
    """A resource that is counted."""

    description: str
    unit: str | None
    service: str
    ui_visible: bool
    api_visible: bool
    allow_in_projects: bool

    @classmethod
    def of(cls, one: Resource) -> ResourceView:
        """As clients of all versions want it."""
        return cls(
            one.description,
            one.unit,
            one.origin,
            one.ui_visible,
            one.api_visible,
            one.ui_visible,
        )


class UsageView(Reply, kw_only=True):
    """Use and limits of one resource in one project.

    The member's own numbers are left out where only projects are asked for.
    """

    usage: int | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    pending: int | UnsetType = UNSET
    project_usage: int
    project_limit: int
    project_pending: int

    @classmethod
    def of(cls, one: Usage) -> UsageView:
        """The member's numbers, then the whole project's."""
        return cls(
            usage=one.usage,
            limit=one.limit,
            pending=one.pending,
            project_usage=one.project_usage,
            project_limit=one.project_limit,
            project_pending=one.project_pending,
        )

    @classmethod
    def of_project(cls, one: Usage) -> UsageView:
        """The whole project's numbers alone."""
        return cls(
            project_usage=one.project_usage,
            project_limit=one.project_limit,
            project_pending=one.project_pending,
        )


QuotasView = dict[str, dict[str, UsageView]]
"""Project → resource → numbers."""


def quotas(
    usage: Mapping[UUID, Mapping[str, Usage]],
    view: Callable[[Usage], UsageView] = UsageView.of,
) -> QuotasView:
    """Answer of ``GET /quotas``.

    :param view: which numbers to tell.
    """
    return {
        str(project): {name: view(one) for name, one in found.items()}
        for project, found in usage.items()
    }


def tenant(token: Token) -> Tenant:
    """What a token acts in; an unscoped one's is called as the person."""
    bound = token.bound is not None
    return Tenant(token.project.uuid, token.project.name if bound else token.user.name)
