"""Adds devices to a running QEMU and takes them away, by its monitor."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from pocket import netdev
from pocket.errors import OpExecError
from pocket.hypervisor import Device, Port
from pocket.qmp import Monitor

PATIENCE = 5.0
"""Seconds that a guest gets to let go of a device, as with Ganeti."""

_PERIOD = 0.2
_AGAIN = 5  # periods


async def plug(monitor: Monitor, device: Device, bridge: str | None) -> None:
    """Add a NIC or a disk.

    :raises OpExecError: QEMU does not take it.
    """
    if device.port is not None:
        await _plug_nic(monitor, device.port, bridge)
    elif device.disk is not None:
        node = netdev.disk_node(device.disk)
        file = {"driver": "file", "filename": str(device.disk), "discard": "unmap"}
        raw: dict[str, Any] = {"driver": "raw", "discard": "unmap", "file": file}
        await monitor.execute("blockdev-add", **{"node-name": node, **raw})
        await monitor.execute(
            "device_add", driver="virtio-blk-pci", drive=node, id=f"dev{node}"
        )


async def _plug_nic(monitor: Monitor, port: Port, bridge: str | None) -> None:
    back = netdev.backend(port, bridge)
    await monitor.execute("netdev_add", **back)
    front = {"driver": "virtio-net-pci", "netdev": back["id"], "mac": port.mac}
    more = {"id": f"dev{back['id']}", "romfile": ""}
    await monitor.execute("device_add", **{**front, **more})


async def unplug(
    monitor: Monitor, device: Device, clock: IReactorTime, patience: float = PATIENCE
) -> None:
    """Take a NIC or a disk away; a NIC loses its network in any case.

    :param patience: seconds for the guest to let go of it.
    :raises OpExecError: the guest does not let go of it.
    """
    if device.port is not None:
        name = netdev.nic_name(device.port.mac)
        undo, what = "netdev_del", {"id": name}
    else:
        assert device.disk is not None
        name = netdev.disk_node(device.disk)
        undo, what = "blockdev-del", {"node-name": name}
    await monitor.execute("device_del", id=f"dev{name}")
    gone = await _gone(monitor, f"dev{name}", clock, patience)
    if gone or device.port is not None:
        await monitor.execute(undo, **what)
    if not gone:
        raise OpExecError("The guest does not let go of the device")


async def _gone(
    monitor: Monitor, name: str, clock: IReactorTime, patience: float
) -> bool:
    for period in range(1, int(patience / _PERIOD) + 1):
        found = await monitor.execute("qom-list", path="/machine/peripheral")
        if all(each["name"] != name for each in found):
            return True
        if period % _AGAIN == 0:
            await _ask_again(monitor, name)
        await deferLater(clock, _PERIOD)
    return False


async def _ask_again(monitor: Monitor, name: str) -> None:
    """A guest that was not done with plugging a device in misses the first time."""
    with suppress(OpExecError):  # it is about to go, or has just gone
        await monitor.execute("device_del", id=name)
