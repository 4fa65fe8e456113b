"""Flavors and key pairs as replies of Synnefo's compute v2.0."""

from __future__ import annotations

from msgspec import UNSET, UnsetType
from msgspec import field as named

from api.links import Link, Links
from api.operations import Reply
from api.times import micros_offset
from snfd.compute.model import Flavor, Keypair


class BriefFlavor(Reply):
    """A flavor by name."""

    id: int
    name: str
    links: list[Link]


class FlavorView(Reply):
    """A flavor in full."""

    id: int
    name: str
    ram: int
    disk: int
    vcpus: int
    public: bool = named(name="os-flavor-access:is_public")
    template: str = named(name="SNF:disk_template")
    volume_type: int = named(name="SNF:volume_type")
    allow_create: bool = named(name="SNF:allow_create")
    access: list[str] = named(name="SNF:flavor-access")
    links: list[Link]

    @classmethod
    def of(cls, flavor: Flavor, links: Links, mine: frozenset[str]) -> FlavorView:
        """A flavor as its users see it.

        :param mine: the caller's projects; of others nothing is told.
        """
        return cls(
            id=flavor.id,
            name=flavor.name,
            ram=flavor.ram,
            disk=flavor.disk,
            vcpus=flavor.cpu,
            public=flavor.public,
            template=flavor.template,
            volume_type=flavor.volume_type,
            allow_create=flavor.allow_create,
            access=[str(one) for one in flavor.projects if str(one) in mine],
            links=links.of("flavors", flavor.id),
        )


class FlavorReply(Reply):
    """One flavor."""

    flavor: FlavorView


class FlavorsReply(Reply):
    """Flavors in full."""

    flavors: list[FlavorView]


class BriefFlavorsReply(Reply):
    """Flavors by name."""

    flavors: list[BriefFlavor]


class SpecsReply(Reply):
    """A flavor's extra specs."""

    extra_specs: dict[str, str]


class KeypairView(Reply):
    """A key pair by name."""

    name: str
    fingerprint: str
    public_key: str
    private_key: str | UnsetType = UNSET

    @classmethod
    def of(cls, one: Keypair, private: str | None = None) -> KeypairView:
        """A key pair; its private key is told once."""
        return cls(one.name, one.fingerprint, one.content, private or UNSET)


class KeypairReply(Reply):
    """One key pair."""

    keypair: KeypairView


class KeypairsReply(Reply):
    """A user's key pairs."""

    keypairs: list[KeypairReply]


class FullKeypairView(Reply):
    """A key pair in full."""

    id: int
    name: str
    fingerprint: str
    public_key: str
    created_at: str
    updated_at: str | None
    deleted: bool
    deleted_at: str | None

    @classmethod
    def of(cls, one: Keypair) -> FullKeypairView:
        """A key pair as its owner sees it."""
        return cls(
            id=one.id,
            name=one.name,
            fingerprint=one.fingerprint,
            public_key=one.content,
            created_at=micros_offset(one.created),
            updated_at=micros_offset(one.updated),
            deleted=False,
            deleted_at=None,
        )


class FullKeypairReply(Reply):
    """One key pair."""

    keypair: FullKeypairView
