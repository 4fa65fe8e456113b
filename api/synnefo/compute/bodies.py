"""What clients send to Synnefo's compute v2.0."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from msgspec import field as named

from api.computing import Texts
from api.paging import Id, Limit, number, recent, wanted
from snfd.compute.model import File, NewServer, NewVolume, ServerFilter
from snfd.errors import Invalid
from snfd.identity.model import Caller
from snfd.network.model import NicRequest


class Personality(Struct, forbid_unknown_fields=True):
    """A file to put into a server."""

    path: str
    contents: str
    owner: str | None = None
    group: str | None = None
    mode: int | None = None

    def file(self) -> File:
        """The file."""
        return File(self.path, self.contents, self.owner, self.group, self.mode)


class NetworkRef(Struct):
    """A network card that a server shall have."""

    uuid: Id | None = None
    port: Id | None = None
    fixed_ip: str | UnsetType | None = UNSET

    def request(self) -> NicRequest:
        """The card; on public networks it needs a floating IP.

        :raises Invalid: it names neither a network nor a port, or no address.
        """
        if self.port is not None:
            return NicRequest(port=number(self.port))
        if self.uuid is None:
            raise Invalid("an item of networks needs uuid or port")
        if self.fixed_ip is None:
            raise Invalid("fixed_ip must not be null")
        fixed = None if self.fixed_ip is UNSET else self.fixed_ip
        return NicRequest(
            network=number(self.uuid), fixed_ip=fixed, needs_floating=True
        )


class BlockDevice(Struct):
    """A disk that a server shall have."""

    source_type: Literal["image", "volume", "blank", "snapshot"]
    uuid: UUID | None = None
    volume_size: int | None = None
    delete_on_termination: bool | None = None

    def volume(self) -> NewVolume:
        """The disk.

        :raises Invalid: it comes from something that is not served yet.
        """
        if self.source_type in ("volume", "snapshot"):
            raise Invalid(f"source_type {self.source_type} is not served")
        if self.source_type == "image" and self.uuid is None:
            raise Invalid("a block device from an image needs its uuid")
        source = self.uuid if self.source_type == "image" else None
        goes = self.delete_on_termination is not False
        return NewVolume(source, self.volume_size, goes)


class WantedServer(Struct):
    """A server that somebody wants."""

    name: str
    flavor: Id = named(name="flavorRef")
    image: UUID = named(name="imageRef")
    metadata: Texts = {}
    tags: list[str] = []
    personality: list[Personality] = []
    networks: list[NetworkRef] | None = None
    key_name: str | None = None
    key_names: list[str] | None = named(name="SNF:key_names", default=None)
    password: str | None = named(name="adminPass", default=None)
    user_data: str | None = None
    project: UUID | None = None
    shared: bool = named(name="shared_to_project", default=False)
    block_devices: list[BlockDevice] | None = named(
        name="block_device_mapping_v2", default=None
    )

    def spec(self) -> NewServer:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: keys named twice.
        """
        if self.key_name is not None and self.key_names is not None:
            raise Invalid("give key_name or SNF:key_names, not both")
        keys = self.key_names or ([self.key_name] if self.key_name else [])
        return NewServer(
            self.name,
            number(self.flavor),
            image=self.image,
            metadata=self.metadata,
            files=[one.file() for one in self.personality],
            nics=self._nics(),
            key_names=tuple(keys),
            password=self.password,
            user_data=self.user_data or "",
            project=self.project,
            shared=self.shared,
            volumes=[one.volume() for one in self.block_devices or ()],
            tags=tuple(dict.fromkeys(self.tags)),
        )

    def _nics(self) -> Sequence[NicRequest] | None:
        if self.networks is None:
            return None
        return [one.request() for one in self.networks]


class CreateServer(Struct):
    """Body of ``POST /servers``."""

    server: WantedServer


class Renaming(Struct):
    """A new name."""

    name: str


class RenameServer(Struct):
    """Body of ``PUT /servers/{server}``."""

    server: Renaming


class ListQuery(Struct):
    """How a list of servers is narrowed."""

    since: str | None = named(name="changes-since", default=None)
    limit: Limit | None = None
    marker: Id | None = None

    def filter(self, now: datetime) -> ServerFilter:
        """The filter.

        :param now: time of the request.
        :raises Invalid: ``changes-since`` is none, in the future or too old.
        """
        return ServerFilter(
            since=recent(self.since, now),
            limit=wanted(self.limit),
            marker=None if self.marker is None else number(self.marker),
        )


class FlavorsQuery(Struct):
    """How a list of flavors is narrowed; ``is_public`` is ignored."""

    public: str | None = named(name="SNF:is_public", default=None)
    access: UUID | None = named(name="SNF:flavor-access", default=None)

    def names_mine(self, caller: Caller) -> bool:
        """Whether the project of ``SNF:flavor-access`` is one of the caller's."""
        return self.access is None or self.access in caller.projects
