"""Arguments of the actions of compute v2.1."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import Struct
from msgspec import field as named

from api.computing import Texts
from api.openstack.compute.bodies import Name, Personality
from api.paging import Id
from snfd.compute import rebuilding
from snfd.compute.model import File
from snfd.errors import Invalid


class Reboot(Struct):
    """Arguments of the action ``reboot``."""

    type: Literal["SOFT", "HARD", "soft", "hard"]


class Resize(Struct):
    """Arguments of the action ``resize``."""

    flavor: Id = named(name="flavorRef")


class AddressOf(Struct):
    """Arguments of the actions ``addFloatingIp`` and ``removeFloatingIp``.

    :ivar fixed: the server's address that it belongs to, else the first.
    """

    address: str
    fixed: str | None = named(name="fixed_address", default=None)


class AddFixed(Struct):
    """Arguments of the action ``addFixedIp``."""

    network: Id = named(name="networkId")


class Rescue(Struct):
    """Arguments of the action ``rescue``."""

    password: str | None = named(name="adminPass", default=None)
    image: str | None = named(name="rescue_image_ref", default=None)

    def ident(self) -> int | None:
        """The rescue image, or None for one that suits.

        :raises Invalid: it is no rescue image's id.
        """
        if self.image is None:
            return None
        if not (self.image.isascii() and self.image.isdecimal()):
            raise Invalid("rescue_image_ref is the number of a rescue image")
        return int(self.image)


class Rebuild(Struct):
    """Arguments of the action ``rebuild``."""

    image: UUID = named(name="imageRef")
    password: str | None = named(name="adminPass", default=None)
    name: Name | None = None
    metadata: Texts | None = None
    personality: list[Personality] | None = None
    user_data: str | None = None

    def wanted(self) -> rebuilding.Rebuild:
        """What is wanted, in the cloud's own terms."""
        return rebuilding.Rebuild(
            self.image,
            self.password,
            self.name,
            self.metadata,
            [File(one.path, one.contents) for one in self.personality or ()],
            self.user_data or "",
        )


class ChangePassword(Struct):
    """Arguments of the action ``changePassword``."""

    password: str = named(name="adminPass")


class VncConsole(Struct):
    """Arguments of the action ``os-getVNCConsole``."""

    type: str
