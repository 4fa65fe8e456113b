"""Network cards and disks of servers, as compute v2.1 has them."""

from __future__ import annotations

from uuid import UUID

from attrs import frozen
from msgspec import Struct
from msgspec import field as named

from api.openstack.compute.servers import existing, within
from api.operations import Reply, operation
from api.paging import Id, number
from snfd.compute.model import Volume
from snfd.compute.service import Compute
from snfd.errors import Invalid, NotFound
from snfd.identity.model import Caller
from snfd.network.model import Filter, NewPort, NicRequest, Port
from snfd.network.service import Ports


class FixedIp(Reply):
    """An address of a network card."""

    subnet_id: str
    ip_address: str


class InterfaceView(Reply):
    """A network card of a server."""

    port_id: str
    net_id: str
    mac_addr: str
    port_state: str
    fixed_ips: list[FixedIp]

    @classmethod
    def of(cls, port: Port) -> InterfaceView:
        """A port of a server as its card."""
        return cls(
            str(port.id),
            str(port.network),
            port.mac or "",
            port.state.value,
            [FixedIp(str(one.subnet), one.addr) for one in port.addresses],
        )


class InterfacesReply(Reply, rename={"interfaces": "interfaceAttachments"}):
    """All network cards of a server."""

    interfaces: list[InterfaceView]


class InterfaceReply(Reply, rename={"interface": "interfaceAttachment"}):
    """One network card of a server."""

    interface: InterfaceView


class WantedAddress(Struct):
    """An address that a card must get."""

    ip_address: str


class WantedInterface(Struct):
    """A card that a server shall have."""

    net_id: Id | None = None
    port_id: Id | None = None
    fixed_ips: list[WantedAddress] | None = None

    def request(self) -> NicRequest:
        """The card.

        :raises Invalid: both a port and a network, or several addresses.
        """
        if self.port_id is not None and self.net_id is not None:
            raise Invalid("give net_id or port_id, not both")
        if self.fixed_ips and (len(self.fixed_ips) > 1 or self.net_id is None):
            raise Invalid("one fixed ip, together with net_id")
        return NicRequest(
            network=None if self.net_id is None else number(self.net_id),
            port=None if self.port_id is None else number(self.port_id),
            fixed_ip=self.fixed_ips[0].ip_address if self.fixed_ips else None,
        )


class AttachInterface(Struct, rename={"interface": "interfaceAttachment"}):
    """Body of ``POST /servers/{server}/os-interface``."""

    interface: WantedInterface


@frozen(eq=False)
class InterfacesApi:
    """Network cards of servers."""

    compute: Compute
    ports: Ports

    @operation("GET", "/servers/<server>/os-interface")
    async def index(self, caller: Caller, server: int) -> InterfacesReply:
        """List a server's network cards."""
        await existing(self.compute, caller, server)
        found = await self.ports.list(within(caller), Filter(server=server))
        return InterfacesReply([InterfaceView.of(port) for port in found])

    @operation("GET", "/servers/<server>/os-interface/<port>")
    async def show(self, caller: Caller, server: int, port: int) -> InterfaceReply:
        """Show a network card."""
        return InterfaceReply(InterfaceView.of(await self._port(caller, server, port)))

    @operation("POST", "/servers/<server>/os-interface", body=AttachInterface)
    async def attach(
        self, caller: Caller, server: int, body: AttachInterface
    ) -> InterfaceReply:
        """Give a server another network card."""
        scope = within(caller)
        await existing(self.compute, caller, server)
        new = NewPort(0, server=server)
        made = await self.compute.nics.connect(
            caller, scope, new, body.interface.request()
        )
        return InterfaceReply(InterfaceView.of(await self.ports.show(scope, made)))

    @operation("DELETE", "/servers/<server>/os-interface/<port>", status=202)
    async def detach(self, caller: Caller, server: int, port: int) -> None:
        """Take a network card away."""
        found = await self._port(caller, server, port)
        await self.compute.nics.disconnect(caller, within(caller), found)

    async def _port(self, caller: Caller, server: int, port: int) -> Port:
        await existing(self.compute, caller, server)
        found = await self.ports.show(within(caller), port)
        if found.server != server:
            raise NotFound(f"the server has no port {port}")
        return found


class VolumeAttachment(Reply):
    """A disk of a server."""

    id: str
    volume_id: str = named(name="volumeId")
    server_id: str = named(name="serverId")
    device: str

    @classmethod
    def of(cls, server: int, volume: Volume) -> VolumeAttachment:
        """A disk; devices are called in order of their index."""
        device = f"/dev/vd{chr(ord('a') + volume.idx)}"
        return cls(str(volume.id), str(volume.id), str(server), device)


class VolumeAttachmentsReply(Reply, rename={"attachments": "volumeAttachments"}):
    """All disks of a server."""

    attachments: list[VolumeAttachment]


class VolumeAttachmentReply(Reply, rename={"attachment": "volumeAttachment"}):
    """One disk of a server."""

    attachment: VolumeAttachment


@frozen(eq=False)
class VolumesApi:
    """Disks of servers."""

    compute: Compute

    @operation("GET", "/servers/<server>/os-volume_attachments")
    async def index(self, caller: Caller, server: int) -> VolumeAttachmentsReply:
        """List a server's disks."""
        found = await existing(self.compute, caller, server)
        return VolumeAttachmentsReply(
            [VolumeAttachment.of(server, volume) for volume in found.volumes]
        )

    @operation("GET", "/servers/<server>/os-volume_attachments/<volume>")
    async def show(
        self, caller: Caller, server: int, volume: UUID
    ) -> VolumeAttachmentReply:
        """Show one of a server's disks."""
        found = await existing(self.compute, caller, server)
        for one in found.volumes:
            if one.id == volume:
                return VolumeAttachmentReply(VolumeAttachment.of(server, one))
        raise NotFound(f"the server has no volume {volume}")
