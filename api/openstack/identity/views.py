"""Values → replies of identity v3; the schemas are closed."""

from __future__ import annotations

from functools import lru_cache
from typing import cast
from uuid import UUID

from msgspec import UNSET, Raw, UnsetType, json
from msgspec import field as named

from api.links import Link, MediaType
from api.operations import Reply
from api.times import micros_z
from snfd.catalog import Catalog, OpenStackEndpoint
from snfd.identity.model import DOMAIN_ID, DOMAIN_NAME, ROLES, Token

INTERFACES = ("public", "internal", "admin")
"""What a service is reached by; one URL for all of them."""


def endpoint_id(one: OpenStackEndpoint, interface: str) -> str:
    """The id of an endpoint as one of `INTERFACES`."""
    return f"{one.id[:-1]}{INTERFACES.index(interface)}"


class Version(Reply):
    """A version of the identity API."""

    id: str
    status: str
    updated: str
    links: list[Link]
    media_types: list[MediaType] = named(name="media-types")

    @classmethod
    def v3(cls, catalog: Catalog) -> Version:
        """The one that there is."""
        media = MediaType(
            "application/json", "application/vnd.openstack.identity-v3+json"
        )
        link = Link("self", catalog.identity("v3") + "/")
        return cls("v3.14", "stable", "2020-04-07T00:00:00Z", [link], [media])


class VersionDocument(Reply):
    """What stands at the root of a version."""

    version: Version


class VersionValues(Reply):
    """All versions."""

    values: list[Version]


class VersionList(Reply):
    """What stands at the root of the service."""

    versions: VersionValues


class Ref(Reply):
    """Something that has an id and a name."""

    id: str
    name: str


DOMAIN = Ref(DOMAIN_ID, DOMAIN_NAME)


class TokenUser(Reply):
    """Whose token it is."""

    id: UUID
    name: str
    domain: Ref
    password_expires_at: None = None


class TokenProject(Reply):
    """What a token is bound to."""

    id: UUID
    name: str
    domain: Ref


class Endpoint(Reply):
    """Where a service is."""

    id: str
    interface: str
    region: str
    region_id: str
    url: str


class Service(Reply):
    """A service of the catalog."""

    id: str
    type: str
    name: str
    endpoints: list[Endpoint]

    @classmethod
    def of(cls, one: OpenStackEndpoint) -> Service:
        """The same URL for everybody, as public, internal and admin."""
        region = one.region
        endpoints = [
            Endpoint(endpoint_id(one, kind), kind, region, region, one.url)
            for kind in INTERFACES
        ]
        return cls(one.service, one.type, one.name, endpoints)


class TokenPart(Reply, omit_defaults=False):
    """What a token says; an unscoped one has no project, roles, catalog."""

    methods: list[str]
    user: TokenUser
    audit_ids: list[str]
    issued_at: str
    expires_at: str
    project: TokenProject | UnsetType = UNSET
    is_domain: bool | UnsetType = UNSET
    roles: list[Ref] | UnsetType = UNSET
    catalog: list[Service] | UnsetType = UNSET


class TokenReply(Reply):
    """Answer of ``/auth/tokens``."""

    token: TokenPart

    @classmethod
    def of(cls, token: Token, catalog: list[Service] | None) -> TokenReply:
        """A token with its catalog, or without one."""
        reply = TokenPart(
            methods=list(token.methods),
            user=TokenUser(token.user.uuid, token.user.username, DOMAIN),
            audit_ids=list(token.audit_ids),
            issued_at=micros_z(token.issued),
            expires_at=micros_z(token.expires),
        )
        if token.bound is not None:
            reply.project = TokenProject(token.project.uuid, token.project.name, DOMAIN)
            reply.is_domain = False
            reply.roles = [Ref(role, role) for role in ROLES if role in token.roles]
            if catalog is not None:
                reply.catalog = catalog
        return cls(reply)


class Links(Reply):
    """Links of a list; ``next`` where there is another page."""

    self: str
    previous: None = None
    next: str | None = None


class SelfLink(Reply):
    """Link of a single thing."""

    self: str


class CatalogReply(Reply):
    """Answer of ``GET /auth/catalog``."""

    catalog: list[Service]
    links: Links


def services(catalog: Catalog, project: UUID | str) -> list[Service]:
    """The catalog for a token of ``project``."""
    return list(map(_service, catalog.openstack(project)))


class OwnServices:
    """What `services` gives where no other program serves anything.

    All but the project is always the same, and is written as JSON once.
    """

    def __init__(self, catalog: Catalog) -> None:
        whole = json.encode(services(catalog, _PROJECT))
        self._around = whole.split(_PROJECT.encode())

    def of(self, project: UUID) -> list[Service]:
        """The catalog for a token of ``project``, fit for nothing but a reply."""
        text = str(project).encode().join(self._around)
        return cast("list[Service]", Raw(text))


_PROJECT = "{project}"


@lru_cache(maxsize=1024)
def _service(one: OpenStackEndpoint) -> Service:
    # most are the same for every project; nobody changes them
    return Service.of(one)
