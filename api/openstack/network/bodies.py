"""What clients send to network v2.0; null is the same as absent."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from api.paging import Id, number
from snfd.errors import Invalid, NotImplementedHere
from snfd.network.floating import NewFloatingIp
from snfd.network.groups import chosen
from snfd.network.model import NewPort, NicRequest, Port

Name = Annotated[str, Meta(max_length=128)]
Groups = Annotated[list[UUID], Meta(max_length=20)]


class Renaming(Struct):
    """What may be changed of a network or port."""

    name: Name | None = None


class WantedAddress(Struct):
    """An address that a port must get, or a subnet to take one from."""

    ip_address: str | None = None
    subnet_id: Id | None = None


class WantedPort(Struct):
    """A port that somebody wants."""

    network_id: Id
    name: Name | None = None
    device_id: str | None = None
    fixed_ips: list[WantedAddress] | None = None
    security_groups: Groups | None = None

    def new(self, project: UUID) -> NewPort:
        """What is wanted, in the cloud's own terms.

        :param project: whose security groups are meant.
        :raises Invalid: several addresses, or a device that is no server.
        :raises NotFound: there is no such security group.
        """
        wanted = self.fixed_ips or []
        if len(wanted) > 1:
            raise Invalid("a port has one fixed ip")
        device = self.device_id or None
        if device is not None and not (device.isdecimal() and len(device) <= 18):
            raise Invalid(f"there is no server {device!r}")
        return NewPort(
            number(self.network_id),
            self.name or "",
            None if device is None else int(device),
            wanted[0].ip_address if wanted else None,
            chosen(project, self.security_groups or ()),
        )


class PortChange(Struct):
    """What may be changed of a port; the rest may be named as it is."""

    name: Name | None = None
    security_groups: Groups | None = None
    device_id: str | None = None
    fixed_ips: list[WantedAddress] | None = None

    def check(self, port: Port) -> None:
        """Pass if nothing would change that cannot.

        :raises Invalid: the server would.
        :raises NotImplementedHere: addresses would.
        """
        server = "" if port.server is None else str(port.server)
        if self.device_id not in (None, server):
            raise Invalid("servers get and lose ports by os-interface")
        held = [one.addr for one in port.addresses]
        wanted = [one.ip_address for one in self.fixed_ips or ()]
        if self.fixed_ips is not None and not set(wanted) - {None} <= {*held}:
            raise NotImplementedHere("the addresses of a port stay as they are")


class UpdatePort(Struct):
    """Body of ``PUT /ports/{port}``."""

    port: PortChange


class CreatePort(Struct):
    """Body of ``POST /ports``."""

    port: WantedPort


def card(new: NewPort) -> NicRequest:
    """The network card that a port stands for."""
    return NicRequest(network=new.network, fixed_ip=new.fixed_ip, firewall=new.firewall)


class WantedFloatingIp(Struct):
    """A floating IP that somebody wants."""

    floating_network_id: Id | None = None
    floating_ip_address: str | None = None
    port_id: Id | None = None

    def new(self) -> NewFloatingIp:
        """What is wanted, in the cloud's own terms."""
        network = self.floating_network_id
        return NewFloatingIp(
            None if network is None else number(network), self.floating_ip_address
        )


class CreateFloatingIp(Struct):
    """Body of ``POST /floatingips``."""

    floatingip: WantedFloatingIp


class FloatingIpChange(Struct):
    """Where a floating IP shall be; null takes it off its server."""

    port_id: Id | UnsetType | None = UNSET


class UpdateFloatingIp(Struct):
    """Body of ``PUT /floatingips/{floatingip}``."""

    floatingip: FloatingIpChange
