"""How lists of networks and subnets are narrowed, sorted and cut.

A filter that is not known is refused rather than overlooked: whoever asks for
one network by a property must not get them all.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from msgspec import field as named

from api.paging import Limit, flag, listed_ids, size
from snfd.errors import Invalid
from snfd.network.model import Filter

Keys = Annotated[list[str], Meta(max_length=8)]


class Listed(Struct, forbid_unknown_fields=True):
    """What every list takes."""

    id: list[str] = []
    name: str | None = None
    description: str | None = None
    tenant_id: str | None = None
    project_id: str | None = None
    limit: Limit | None = None
    marker: str | None = None
    sort_key: Keys = []
    sort_dir: Keys = []
    page_reverse: str | None = None
    fields: list[str] = []

    def sort(self) -> tuple[tuple[str, bool], ...]:
        """By what to sort, and whether it descends.

        :raises Invalid: keys and directions do not match.
        """
        if self.sort_dir and len(self.sort_dir) != len(self.sort_key):
            raise Invalid("each sort_key has one sort_dir, or none has")
        if not set(self.sort_dir) <= {"asc", "desc"}:
            raise Invalid("sort_dir is asc or desc")
        downs = [one == "desc" for one in self.sort_dir] or [False] * len(self.sort_key)
        return tuple(zip(self.sort_key, downs, strict=True))

    def after(self) -> int | None:
        """The id of the item that the page follows.

        :raises Invalid: the marker is none.
        """
        if flag(self.page_reverse, "page_reverse"):
            raise Invalid("pages are turned forwards only")
        if self.marker is not None and not is_row(self.marker):
            raise Invalid(f"marker {self.marker!r} is no item of this list")
        return int(self.marker) if self.marker else None


class NetworkQuery(Listed, forbid_unknown_fields=True):
    """Query of ``GET /networks``."""

    status: str | None = None
    shared: str | None = None
    external: str | None = named(name="router:external", default=None)
    admin_state_up: str | None = None
    mtu: str | None = None
    kind: str | None = named(name="provider:network_type", default=None)

    def filter(self) -> Filter | None:
        """The filter, or None where nothing can match.

        :raises Invalid: a marker or truth value that is none.
        """
        external = flag(self.external, "router:external")
        shared = flag(self.shared, "shared")
        up = flag(self.admin_state_up, "admin_state_up")
        sort, marker = self.sort(), self.after()
        if self.description:
            return None
        if None not in (external, shared) and external != shared:
            return None
        return Filter(
            ids=listed_ids(self.id),
            name=self.name,
            status=self.status,
            public=shared if external is None else external,
            up=up,
            mtu=named_number(self.mtu),
            kind=self.kind,
            project=named_project(self.project_id, self.tenant_id),
            marker=marker,
            limit=size(self.limit),
            sort=sort,
        )


class SubnetQuery(Listed, forbid_unknown_fields=True):
    """Query of ``GET /subnets``."""

    network_id: str | None = None
    ip_version: str | None = None
    cidr: str | None = None
    gateway_ip: str | None = None
    enable_dhcp: str | None = None
    shared: str | None = None
    ipv6_ra_mode: str | None = None
    ipv6_address_mode: str | None = None
    subnetpool_id: str | None = None

    def filter(self) -> Filter | None:
        """The filter, or None where nothing can match.

        :raises Invalid: a marker or truth value that is none.
        """
        dhcp = flag(self.enable_dhcp, "enable_dhcp")
        shared = flag(self.shared, "shared")
        sort, marker = self.sort(), self.after()
        slaac = {self.ipv6_ra_mode, self.ipv6_address_mode} - {None, ""}
        if self.description or self.subnetpool_id:
            return None
        if slaac - {"slaac"} or not possible(self.network_id, self.ip_version):
            return None
        return Filter(
            ids=listed_ids(self.id),
            name=self.name,
            network=named_number(self.network_id),
            version=6 if slaac else named_number(self.ip_version),
            cidr=self.cidr,
            gateway=self.gateway_ip,
            dhcp=dhcp,
            public=shared,
            project=named_project(self.project_id, self.tenant_id),
            marker=marker,
            limit=size(self.limit),
            sort=sort,
        )


def is_row(text: str) -> bool:
    """Whether a row may have that id."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def possible(*texts: str | None) -> bool:
    """Whether all that is named may be rows' ids."""
    return all(text is None or text == "" or is_row(text) for text in texts)


def named_number(text: str | None) -> int | None:
    """A number that a filter names; -1, which nothing has, for what is none."""
    if text is None or text == "":
        return None
    return int(text) if is_row(text) else -1


def named_project(*names: str | None) -> UUID | None:
    """The project that is asked for; the nil one, which nobody has, if it is none."""
    found = next((name for name in names if name), None)
    try:
        return UUID(found) if found else None
    except ValueError:
        return UUID(int=0)
