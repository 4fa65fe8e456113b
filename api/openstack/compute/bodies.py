"""What clients send to compute v2.1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from msgspec import field as named

from api.computing import Texts
from api.paging import Id, Limit, moment, number, since, size
from snfd.compute.model import File, NewServer, NewVolume, ServerFilter
from snfd.compute.states import State
from snfd.errors import Invalid, NotFound
from snfd.network.model import NicRequest

Name = Annotated[str, Meta(min_length=1, max_length=255)]


class Personality(Struct):
    """A file to put into a server."""

    path: str
    contents: str


class NetworkRef(Struct):
    """A network card that a server shall have."""

    uuid: Id | None = None
    port: Id | None = None
    fixed_ip: str | None = None

    def request(self) -> NicRequest:
        """The card.

        :raises Invalid: it names neither a network nor a port.
        """
        if self.port is not None:
            return NicRequest(port=number(self.port))
        if self.uuid is None:
            raise Invalid("an item of networks needs uuid or port")
        return NicRequest(network=number(self.uuid), fixed_ip=self.fixed_ip)


class BlockDevice(Struct):
    """A disk that a server shall have."""

    source_type: Literal["image", "volume", "blank", "snapshot"] = "volume"
    uuid: UUID | None = None
    volume_size: Annotated[int, Meta(ge=1)] | None = None
    boot_index: int | None = None
    delete_on_termination: bool = True
    destination_type: str | None = None

    def volume(self) -> NewVolume:
        """The disk.

        :raises Invalid: it comes from something that is not served yet.
        """
        if self.source_type in ("volume", "snapshot"):
            raise Invalid(f"source_type {self.source_type} is not served")
        if self.source_type == "image" and self.uuid is None:
            raise Invalid("a block device from an image needs its uuid")
        source = self.uuid if self.source_type == "image" else None
        return NewVolume(source, self.volume_size)


class WantedServer(Struct):
    """A server that somebody wants."""

    name: Name
    flavor: Id = named(name="flavorRef")
    image: str | None = named(name="imageRef", default=None)
    metadata: Texts | None = None
    personality: list[Personality] | None = None
    networks: list[NetworkRef] | Literal["auto", "none"] | None = None
    key_name: str | None = None
    password: str | None = named(name="adminPass", default=None)
    user_data: str | None = None
    block_devices: list[BlockDevice] | None = named(
        name="block_device_mapping_v2", default=None
    )
    min_count: Id | None = None
    max_count: Id | None = None

    def spec(self) -> NewServer:
        """What is wanted, in the cloud's own terms.

        :raises Invalid: more than one server, or malformed parts.
        """
        counts = [number(one) for one in (self.min_count, self.max_count) if one]
        if any(count != 1 for count in counts):
            raise Invalid("one server is made at a time: min_count, max_count")
        return NewServer(
            self.name,
            number(self.flavor),
            image=self._image(),
            metadata=self.metadata or {},
            files=[File(one.path, one.contents) for one in self.personality or ()],
            nics=self._nics(),
            key_names=(self.key_name,) if self.key_name else (),
            password=self.password,
            user_data=self.user_data or "",
            volumes=self._volumes(),
        )

    def _image(self) -> UUID | None:
        if not self.image:
            return None
        try:
            return UUID(self.image)
        except ValueError:
            raise Invalid("imageRef is no image's id") from None

    def _nics(self) -> Sequence[NicRequest] | None:
        if self.networks == "none":
            return ()
        if not self.networks or self.networks == "auto":
            return None
        assert not isinstance(self.networks, str)
        return [one.request() for one in self.networks]

    def _volumes(self) -> Sequence[NewVolume]:
        """The disks, the one to boot from first."""

        def order(one: BlockDevice) -> tuple[bool, int]:
            index = one.boot_index
            return index is None or index < 0, index or 0

        return [one.volume() for one in sorted(self.block_devices or (), key=order)]


class CreateServer(Struct):
    """Body of ``POST /servers``."""

    server: WantedServer


class ServerChange(Struct):
    """What may be changed of a server."""

    name: Name | None = None


class UpdateServer(Struct):
    """Body of ``PUT /servers/{server}``."""

    server: ServerChange


class RemoteConsole(Struct):
    """A console that somebody wants."""

    protocol: str
    type: str


class CreateRemoteConsole(Struct):
    """Body of ``POST /servers/{server}/remote-consoles``."""

    remote_console: RemoteConsole


STATES = {
    "ACTIVE": State.STARTED,
    "BUILD": State.BUILD,
    "ERROR": State.ERROR,
    "SHUTOFF": State.STOPPED,
    "DELETED": State.DESTROYED,
}

SORTS = {
    "id": "id",
    "uuid": "id",
    "created_at": "created",
    "updated_at": "updated",
    "display_name": "name",
    "name": "name",
}


class ServersQuery(Struct):
    """How a list of servers is narrowed, ordered and cut."""

    name: str | None = None
    status: str | None = None
    flavor: str | None = None
    image: str | None = None
    ip: str | None = None
    uuid: str | None = None
    deleted: str | None = None
    all_tenants: str | None = None
    tenant_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    since: str | None = named(name="changes-since", default=None)
    before: str | None = named(name="changes-before", default=None)
    sort_key: str | None = None
    sort_dir: Literal["asc", "desc"] | None = None
    limit: Limit | None = None
    marker: str | None = None

    def filter(self, *, admin: bool, deleted: bool) -> ServerFilter | None:
        """The filter, or None where nothing can match.

        :param deleted: whether deleted servers are asked for.
        :raises Invalid: a time, marker or sort key that is none.
        """
        try:
            return self._filter(admin=admin, deleted=deleted)
        except _NoMatch:
            return None

    def _filter(self, *, admin: bool, deleted: bool) -> ServerFilter:
        if self.sort_key is not None and self.sort_key not in SORTS:
            raise Invalid(f"sort_key must be one of {', '.join(SORTS)}")
        if self.marker is not None and not _is_row(self.marker):
            raise Invalid(f"marker {self.marker!r} names no server")
        project = self.project_id or self.tenant_id
        return ServerFilter(
            name=self.name,
            states=self._states(),
            flavor=_row(self.flavor),
            image=_uuid(self.image),
            ip=self.ip,
            ids=None if self.uuid is None else (_row(self.uuid) or 0,),
            project=_uuid(project) if admin else None,
            owner=_uuid(self.user_id) if admin else None,
            since=since(self.since),
            before=moment(self.before, "changes-before") if self.before else None,
            deleted=deleted,
            sort=SORTS[self.sort_key or "id"],
            descending=self.sort_dir == "desc",
            marker=int(self.marker) if self.marker else None,
            limit=size(self.limit),
        )

    def _states(self) -> tuple[State, ...] | None:
        if self.status is None:
            return None
        if self.status.upper() not in STATES:
            raise _NoMatch
        return (STATES[self.status.upper()],)


class _NoMatch(Exception):
    """A filter names something that cannot exist."""


def _is_row(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _row(text: str | None) -> int | None:
    """A row's id in a filter; also at the end of a URL."""
    if text is None:
        return None
    last = text.rstrip("/").rpartition("/")[2]
    if not _is_row(last):
        raise _NoMatch
    return int(last)


def _uuid(text: str | None) -> UUID | None:
    if text is None:
        return None
    try:
        return UUID(text.rstrip("/").rpartition("/")[2])
    except ValueError:
        raise _NoMatch from None


@contextmanager
def named_in_body() -> Iterator[None]:
    """What a body names and is not there makes the body wrong, says nova."""
    try:
        yield
    except NotFound as error:
        raise Invalid(error.message) from None


class FlavorsQuery(Struct):
    """How a list of flavors is narrowed and cut."""

    is_public: str | None = None
    limit: Limit | None = None
    marker: str | None = None

    def after(self) -> int | None:
        """The marker.

        :raises Invalid: it is no flavor's id.
        """
        if self.marker is None:
            return None
        if not _is_row(self.marker):
            raise Invalid(f"marker {self.marker!r} names no flavor")
        return int(self.marker)
