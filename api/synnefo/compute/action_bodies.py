"""Arguments of the actions of Synnefo's compute v2.0."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec import field as named

from api.computing import Texts
from api.paging import Id
from api.synnefo.compute.bodies import Personality
from snfd.compute import rebuilding


class Reboot(Struct):
    """Arguments of the action ``reboot``."""

    type: Literal["SOFT", "HARD"] = "SOFT"


class Resize(Struct):
    """Arguments of the action ``resize``."""

    flavor: Id = named(name="flavorRef")


class Reassign(Struct):
    """Arguments of the action ``reassign``."""

    project: UUID
    shared: bool = named(name="shared_to_project", default=False)


class FirewallProfile(Struct):
    """Arguments of the action ``firewallProfile``."""

    profile: str
    nic: Id


class AddressOf(Struct):
    """Arguments of the actions ``addFloatingIp`` and ``removeFloatingIp``."""

    address: str


class Rescue(Struct):
    """Arguments of the action ``rescue``."""

    image: Id | None = named(name="rescue_image_ref", default=None)


class Rebuild(Struct):
    """Arguments of the action ``rebuild``."""

    image: UUID = named(name="imageRef")
    password: str | None = named(name="adminPass", default=None)
    name: str | None = None
    metadata: Texts | None = None
    personality: list[Personality] = []
    user_data: str | None = None

    def wanted(self) -> rebuilding.Rebuild:
        """What is wanted, in the cloud's own terms."""
        return rebuilding.Rebuild(
            self.image,
            self.password,
            self.name,
            self.metadata,
            [one.file() for one in self.personality],
            self.user_data or "",
        )


class ChangePassword(Struct):
    """Arguments of the action ``changePassword``."""

    password: str = named(name="adminPass")


class Console(Struct):
    """Arguments of the action ``console``."""

    type: Literal["vnc", "vnc-ws", "vnc-wss"]


class VncConsole(Struct):
    """Arguments of the action ``os-getVNCConsole``."""

    type: Literal["novnc", "xvpvnc"]
