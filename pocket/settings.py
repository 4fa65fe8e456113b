"""Everything that can be said about a pocket cluster."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from pocket.cluster import Node
from pocket.users import User


@frozen
class Settings:
    """Everything that can be said about a pocket.

    :ivar data: directory for all that outlives the process; None keeps nothing.
    :ivar port: endpoint string of RAPI.
    :ivar tls: whether RAPI speaks TLS, with a self-made certificate.
    :ivar names: names and addresses in the certificate.
    :ivar users: who may call.
    :ivar hypervisor: auto, qemu, screen or fake.
    :ivar kvm: off, or probe: use KVM where a Linux boots with it.
    :ivar latency: seconds that every operation takes at least.
    :ivar grace: seconds that guests get to power off when the pocket stops.
    :ivar image_hosts: hosts that images are fetched from, besides loopback.
    :ivar vnc_password: of the screens; None lets everybody in.
    :ivar bridge: where NICs are connected; None closes them in.
    :ivar control: whether ``/pocket/`` is there, for tests.
    """

    data: Path | None = None
    port: str = "tcp:5080:interface=127.0.0.1"
    tls: bool = True
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    users: tuple[User, ...] = ()
    hypervisor: str = "auto"
    kvm: str = "off"
    latency: float = 0.0
    grace: float = 5.0
    image_hosts: tuple[str, ...] = ()
    vnc_password: str | None = None
    bridge: str | None = None
    control: bool = False
    node: Node = field(factory=Node)
