"""Which hypervisor and which disks, from the settings."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThreadPool
from twisted.web.client import Agent

from pocket.cluster import Space
from pocket.disks import FileSpace
from pocket.hypervisor import FakeHypervisor, Hypervisor
from pocket.images import Fetcher
from pocket.kvm import accelerator
from pocket.qemu import BINARY, Qemu
from pocket.settings import Settings
from pocket.stand_in import StandIn

_LONGEST_SOCKET = 100
_NAME = 42


def hypervisor(settings: Settings, reactor: Any) -> Hypervisor:
    """The hypervisor that the settings name.

    :raises ValueError: it cannot be had.
    """
    binary = shutil.which(BINARY)
    kind = settings.hypervisor
    if kind == "auto":
        kind = "qemu" if binary and settings.data is not None else "screen"
    if kind == "fake":
        return FakeHypervisor()
    if kind == "screen":
        node = settings.node
        return StandIn(reactor, node.vnc_address, settings.vnc_password)
    if binary is None:
        raise ValueError(f"{BINARY} is not installed (apt install qemu-system-x86)")
    if settings.data is None:
        raise ValueError("QEMU needs a data directory (--data)")
    return Qemu(
        reactor,
        binary,
        socket_directory(settings.data),
        settings.node.vnc_address,
        accelerator(settings.kvm),
        settings.grace,
        settings.vnc_password,
        settings.bridge,
    )


def socket_directory(data: Path) -> Path:
    """Where sockets of this data directory are: in it, if paths may be so
    long; else in the temporary directory, in a place that is always the same.

    :raises ValueError: somebody else has that place.
    """
    inside = data / "run"
    if len(str(inside)) + _NAME <= _LONGEST_SOCKET:
        return inside
    name = sha256(str(data).encode()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"snfd-pocket-{name}"
    place.mkdir(mode=0o700, exist_ok=True)
    status = place.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise ValueError(f"{place} is not a directory of ours")
    return place


def space(settings: Settings, reactor: Any, runs: Hypervisor) -> Space:
    """Real disks where machines are real and there is a data directory."""
    if settings.data is None or runs.name == "fake":
        return Space()
    pool = reactor.getThreadPool()

    def in_thread(function: Any, *args: Any) -> Any:
        return deferToThreadPool(reactor, pool, function, *args)

    agent = Agent(reactor, connectTimeout=10)
    hosts = frozenset(settings.image_hosts)
    return FileSpace(
        settings.data / "disks", Fetcher(agent, reactor, in_thread, hosts), in_thread
    )
