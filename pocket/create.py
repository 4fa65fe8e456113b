"""``OP_INSTANCE_CREATE``: from a request to an instance."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from pocket.cluster import Cluster
from pocket.errors import (
    EXISTS,
    NO_RESOURCES,
    UNKNOWN,
    WRONG_INPUT,
    WRONG_STATE,
    OpPrereqError,
)
from pocket.model import Disk, Instance, Network, Nic
from pocket.networks import address, checked_tags, pick, pick_mac
from pocket.params import Op

_MOST_NICS = 8
_MOST_DISKS = 16
_LARGEST_DISK = 16 * 1024 * 1024
BE_DEFAULTS: dict[str, Any] = {
    "minmem": 128,
    "maxmem": 128,
    "vcpus": 1,
    "auto_balance": True,
    "always_failover": False,
    "spindle_use": 1,
}
_NIC_KEYS = {"name", "network", "ip", "mac", "mode", "link", "vlan", "bridge"}


def beparams(given: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Backend parameters with ``given`` applied.

    :raises OpPrereqError: one is unknown, or not a sensible number.
    """
    wanted = dict(given)
    if "memory" in wanted:
        memory = wanted.pop("memory")
        wanted |= {"minmem": memory, "maxmem": memory}
    for name, value in list(wanted.items()):
        if name not in BE_DEFAULTS:
            raise OpPrereqError(f"Unknown parameter '{name}'", WRONG_INPUT)
        if value == "default":
            wanted[name] = BE_DEFAULTS[name]
        elif isinstance(BE_DEFAULTS[name], bool):
            if not isinstance(value, bool):
                raise OpPrereqError(f"'{name}' must be a boolean", WRONG_INPUT)
        elif isinstance(value, bool) or not _number(value):
            raise OpPrereqError(f"'{name}' must be a number", WRONG_INPUT)
        else:
            wanted[name] = int(value)
    new = {**old, **wanted}
    if not 0 < new["minmem"] <= new["maxmem"] or new["vcpus"] < 1:
        raise OpPrereqError("minmem must not exceed maxmem", WRONG_INPUT)
    return new


def _number(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isdecimal())


def new_instance(cluster: Cluster, op: Op) -> Instance:
    """The instance that ``op`` asks for; nothing is changed yet.

    :raises OpPrereqError: it cannot be.
    """
    name = op["instance_name"]
    if name in cluster.instances:
        raise OpPrereqError(f"Instance '{name}' is already in the cluster", EXISTS)
    if op["mode"] != "create":
        raise OpPrereqError("Only new instances can be made here", WRONG_INPUT)
    if not op.get("os_type") and not op.get("no_install"):
        raise OpPrereqError("No guest OS specified", WRONG_INPUT)
    template = op.get("disk_template") or cluster.node.disk_templates[0]
    if template not in cluster.node.disk_templates:
        raise OpPrereqError(
            f"Disk template '{template}' is not enabled in cluster", WRONG_INPUT
        )
    now = cluster.clock.seconds()
    instance = Instance(
        name=name,
        uuid=cluster.uuid(),
        os=op.get("os_type"),
        hypervisor=_hypervisor(cluster, op),
        disk_template=template,
        beparams=beparams(op["beparams"], BE_DEFAULTS),
        hvparams=dict(op["hvparams"]),
        osparams=dict(op["osparams"]),
        nics=_nics(cluster, op),
        disks=_disks(cluster, op, template),
        tags=checked_tags(op["tags"]),
        admin_state="down",
        ctime=now,
        mtime=now,
        port=cluster.free_port() if cluster.hypervisor.screens else None,
    )
    _room(cluster, instance, op)
    return instance


def _hypervisor(cluster: Cluster, op: Op) -> str:
    wanted = op.get("hypervisor") or cluster.hypervisor.name
    if wanted != cluster.hypervisor.name:
        raise OpPrereqError(
            f"Selected hypervisor ({wanted}) not enabled in the cluster"
            f" ({cluster.hypervisor.name})",
            WRONG_STATE,
        )
    node = op.get("pnode") or cluster.node.name
    if node != cluster.node.name:
        raise OpPrereqError(f"Node '{node}' not known", UNKNOWN)
    return str(wanted)


def _room(cluster: Cluster, instance: Instance, op: Op) -> None:
    """The allocator's answer."""
    disk = sum(disk.size for disk in instance.disks)
    lacking = {
        "FailMem": op["start"] and instance.memory > cluster.free_memory(),
        "FailDisk": disk > cluster.free_disk(),
    }
    for why, failed in lacking.items():
        if failed:
            raise OpPrereqError(
                "Can't compute nodes using iallocator 'pocket': Request failed:"
                f" No valid allocation solutions, failure reasons: {why}: 1",
                NO_RESOURCES,
            )


def _nics(cluster: Cluster, op: Op) -> tuple[Nic, ...]:
    if len(op["nics"]) > _MOST_NICS:
        raise OpPrereqError(f"At most {_MOST_NICS} NICs", WRONG_INPUT)
    nics: list[Nic] = []
    for given in op["nics"]:
        nics.append(new_nic(cluster, given, op["conflicts_check"], nics))
    return tuple(nics)


def new_nic(
    cluster: Cluster, given: dict[str, Any], check: bool, others: list[Nic]
) -> Nic:
    """The NIC that a request describes.

    :param check: whether reserved addresses are refused.
    :param others: NICs of the same request, not yet in the configuration.
    :raises OpPrereqError: it cannot be.
    """
    unknown = sorted(set(given) - _NIC_KEYS)
    if unknown:
        raise OpPrereqError(f"Unknown NIC parameter '{unknown[0]}'", WRONG_INPUT)
    found = given.get("network")
    if found is None:
        network, mode, link = None, given.get("mode", "bridged"), given.get("link")
        ip = _free_address(given, str(mode))
    else:
        network = _usable(cluster, given)
        assert network.connection is not None
        mode, link = network.connection.mode, network.connection.link
        ip = _network_address(cluster, network, given, check, others)
    prefix = (network and network.mac_prefix) or cluster.node.mac_prefix
    macs = {nic.mac for nic in others} | set(+cluster.instances.macs)
    octet = partial(cluster.random.randrange, 256)
    return Nic(
        uuid=cluster.uuid(),
        mac=pick_mac(str(given.get("mac") or "auto"), prefix, macs, octet),
        name=_label(given),
        ip=ip,
        mode=str(mode),
        link=str(link or "br0"),
        network=network.name if network else None,
    )


def _label(given: dict[str, Any]) -> str | None:
    label = given.get("name")
    return None if label in (None, "none") else str(label)


def _wanted(given: dict[str, Any]) -> str | None:
    ip = given.get("ip")
    return None if ip in (None, "none") else str(ip)


def _free_address(given: dict[str, Any], mode: str) -> str | None:
    """The address of a NIC that is on no network of the cluster's."""
    ip = _wanted(given)
    if ip == "pool":
        raise OpPrereqError("If ip=pool, parameter network cannot be none", WRONG_INPUT)
    if ip is None and mode == "routed":
        raise OpPrereqError("Routed nic mode requires an ip address", WRONG_INPUT)
    return None if ip is None else address(ip)


def _usable(cluster: Cluster, given: dict[str, Any]) -> Network:
    """The network that a NIC names, which must be connected."""
    if "mode" in given or "link" in given:
        raise OpPrereqError(
            "If network is given, mode or link should not be set", WRONG_INPUT
        )
    network = find_network(cluster, str(given["network"]))
    if network.connection is None:
        raise OpPrereqError(
            f"Network '{network.name}' is not connected to node {cluster.node.name}",
            WRONG_STATE,
        )
    return network


def _network_address(
    cluster: Cluster,
    network: Network,
    given: dict[str, Any],
    check: bool,
    others: list[Nic],
) -> str | None:
    ip = _wanted(given)
    if ip is None:
        return None
    mine = {nic.ip for nic in others if nic.network == network.name and nic.ip}
    return pick(network, ip, cluster.instances.used(network.name) | mine, check)


def find_network(cluster: Cluster, name: str) -> Network:
    """The network of that name or UUID.

    :raises OpPrereqError: there is none.
    """
    try:
        wanted = str(UUID(name))
    except ValueError:
        return cluster.networks.get(name)
    for network in cluster.networks:
        if network.uuid == wanted:
            return network
    return cluster.networks.get(name)


def _disks(cluster: Cluster, op: Op, template: str) -> tuple[Disk, ...]:
    if len(op["disks"]) > _MOST_DISKS or (template == "diskless" and op["disks"]):
        raise OpPrereqError("Too many disks for the disk template", WRONG_INPUT)
    return tuple(new_disk(cluster, given) for given in op["disks"])


def new_disk(cluster: Cluster, given: dict[str, Any]) -> Disk:
    """The disk that a request describes.

    :raises OpPrereqError: its size is no number of MiB.
    """
    if given.get("size") is None:
        raise OpPrereqError("Missing disk size", WRONG_INPUT)
    size, mode = given["size"], given.get("mode", "rw")
    if (
        isinstance(size, bool)
        or not _number(size)
        or not 0 < int(size) <= _LARGEST_DISK
    ):
        raise OpPrereqError(f"Invalid disk size '{size}'", WRONG_INPUT)
    if mode not in ("rw", "ro"):
        raise OpPrereqError(f"Invalid disk access mode '{mode}'", WRONG_INPUT)
    known = ("size", "mode", "name")
    return Disk(
        uuid=cluster.uuid(),
        size=int(size),
        name=_label(given),
        mode=mode,
        extra={key: value for key, value in given.items() if key not in known},
    )
