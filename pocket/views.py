"""How instances, networks, the node and the group look in answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pocket.cluster import GROUP, Cluster
from pocket.create import BE_DEFAULTS
from pocket.model import Instance, Network, Nic
from pocket.query import Field, cell, table

Row = dict[str, Any]
COMMON = ("ctime", "mtime", "uuid", "serial_no", "tags")
INSTANCE = (
    "name admin_state os pnode snodes disk_template nic.ips nic.macs nic.modes"
    " nic.uuids nic.names nic.links nic.networks nic.networks.names nic.bridges"
    " network_port disk.sizes disk.spindles disk_usage disk.uuids disk.names"
    " beparams hvparams oper_state oper_ram oper_vcpus status custom_hvparams"
    " custom_beparams custom_nicparams"
)
NETWORK = (
    "name network gateway network6 gateway6 mac_prefix free_count reserved_count"
    " map group_list inst_list external_reservations"
)
INSTANCE_FIELDS = (*INSTANCE.split(), *COMMON)
NETWORK_FIELDS = (*NETWORK.split(), *COMMON)


def row(fields: dict[str, Field[Any]], names: Sequence[str], item: Any) -> Row:
    """One item as a mapping; what it does not have is null."""
    return {name: cell(fields.get(name), item)[1] for name in names}


def status(instance: Instance, running: bool) -> str:
    """Ganeti's word for what is wanted and what is."""
    if running:
        return "running" if instance.admin_state == "up" else "ERROR_up"
    words = {"up": "ERROR_down", "offline": "ADMIN_offline"}
    return words.get(instance.admin_state, "ADMIN_down")


def _nics(get: Callable[[Nic], Any]) -> Callable[[Instance], list[Any]]:
    return lambda instance: [get(nic) for nic in instance.nics]


def _bridge(nic: Nic) -> str | None:
    return nic.link if nic.mode == "bridged" else None


def hvparams(cluster: Cluster, instance: Instance) -> Row:
    """All parameters of the hypervisor, with what the pocket adds."""
    screen: Row = {}
    if cluster.hypervisor.screens:
        screen = {
            "vnc_bind_address": cluster.node.vnc_address,
            "vnc_tls": False,
            "vnc_password_file": cluster.node.vnc_password_file,
            "boot_order": "disk",
            "serial_console": False,
        }
    return {**screen, **instance.hvparams}


def instance_fields(cluster: Cluster) -> dict[str, Field[Instance]]:
    """The fields of instances."""
    running = cluster.hypervisor.running
    return table(
        *_plain_fields(cluster),
        *_nic_fields(cluster),
        *_disk_fields(),
        Field("hvparams", "other", lambda i: hvparams(cluster, i)),
        Field("beparams", "other", lambda i: {**i.beparams, "memory": i.memory}),
        Field("custom_hvparams", "other", lambda i: i.hvparams),
        Field("custom_beparams", "other", _custom_beparams),
        Field("osparams", "other", lambda i: i.osparams),
        Field("custom_osparams", "other", lambda i: i.osparams),
        Field("oper_state", "bool", lambda i: running(i.name)),
        Field("oper_ram", "unit", lambda i: i.memory if running(i.name) else None),
        Field("oper_vcpus", "number", lambda i: i.vcpus if running(i.name) else None),
        Field("status", "text", lambda i: status(i, running(i.name))),
        *(
            Field(f"be/{name}", "other", lambda i, n=name: i.beparams[n])  # type: ignore[misc]
            for name in BE_DEFAULTS
        ),
        Field("be/memory", "unit", lambda i: i.memory),
    )


def _custom_beparams(instance: Instance) -> Row:
    return {k: v for k, v in instance.beparams.items() if v != BE_DEFAULTS[k]}


def _plain_fields(cluster: Cluster) -> list[Field[Instance]]:
    return [
        Field("name", "text", lambda i: i.name, "Instance"),
        Field("uuid", "text", lambda i: i.uuid, "UUID"),
        Field("ctime", "timestamp", lambda i: i.ctime),
        Field("mtime", "timestamp", lambda i: i.mtime),
        Field("serial_no", "number", lambda i: i.serial_no),
        Field("tags", "other", lambda i: i.tags),
        Field("admin_state", "text", lambda i: i.admin_state, "InstanceState"),
        Field("admin_state_source", "text", lambda i: "admin"),
        Field("admin_up", "bool", lambda i: i.admin_state == "up", "Autostart"),
        Field("hypervisor", "text", lambda i: i.hypervisor),
        Field("os", "text", lambda i: i.os, "OS"),
        Field("pnode", "text", lambda i: cluster.node.name, "Primary_node"),
        Field("pnode.group", "text", lambda i: GROUP),
        Field("snodes", "other", lambda i: []),
        Field("network_port", "other", lambda i: i.port),
    ]


def _nic_fields(cluster: Cluster) -> list[Field[Instance]]:
    def uuid(nic: Nic) -> str | None:
        if nic.network is None or nic.network not in cluster.networks:
            return None
        return cluster.networks.get(nic.network).uuid

    return [
        Field("nic.count", "number", lambda i: len(i.nics)),
        Field("nic.ips", "other", _nics(lambda nic: nic.ip)),
        Field("nic.macs", "other", _nics(lambda nic: nic.mac)),
        Field("nic.modes", "other", _nics(lambda nic: nic.mode)),
        Field("nic.uuids", "other", _nics(lambda nic: nic.uuid)),
        Field("nic.names", "other", _nics(lambda nic: nic.name)),
        Field("nic.links", "other", _nics(lambda nic: nic.link)),
        Field("nic.vlans", "other", _nics(lambda nic: "")),
        Field("nic.bridges", "other", _nics(_bridge)),
        Field("nic.networks", "other", _nics(uuid)),
        Field("nic.networks.names", "other", _nics(lambda nic: nic.network)),
        Field(
            "custom_nicparams",
            "other",
            _nics(lambda nic: {"mode": nic.mode, "link": nic.link, "vlan": ""}),
        ),
    ]


def _disk_fields() -> list[Field[Instance]]:
    return [
        Field("disk_template", "text", lambda i: i.disk_template),
        Field("disk_usage", "unit", lambda i: sum(disk.size for disk in i.disks)),
        Field("disk.count", "number", lambda i: len(i.disks)),
        Field("disk.sizes", "other", lambda i: [disk.size for disk in i.disks]),
        Field("disk.uuids", "other", lambda i: [disk.uuid for disk in i.disks]),
        Field("disk.names", "other", lambda i: [disk.name for disk in i.disks]),
        Field("disk.spindles", "other", lambda i: [None for _ in i.disks]),
    ]


def network_fields(cluster: Cluster) -> dict[str, Field[Network]]:
    """The fields of networks."""

    def used(network: Network) -> frozenset[str]:
        return cluster.instances.used(network.name) | network.external

    def plan(network: Network) -> str:
        taken = used(network)
        return "".join("X" if str(ip) in taken else "." for ip in network.range)

    return table(
        Field[Network]("name", "text", lambda n: n.name),
        Field("network", "text", lambda n: n.network, "Subnet"),
        Field("gateway", "other", lambda n: n.gateway),
        Field("network6", "other", lambda n: n.network6),
        Field("gateway6", "other", lambda n: n.gateway6),
        Field("mac_prefix", "other", lambda n: n.mac_prefix),
        Field("free_count", "number", lambda n: n.range.num_addresses - len(used(n))),
        Field("reserved_count", "number", lambda n: len(used(n))),
        Field("map", "text", plan),
        Field("group_list", "other", _groups),
        Field("inst_list", "other", lambda n: _users(cluster, n)),
        Field("external_reservations", "text", _external),
        Field("ctime", "timestamp", lambda n: n.ctime),
        Field("mtime", "timestamp", lambda n: n.mtime),
        Field("uuid", "text", lambda n: n.uuid, "UUID"),
        Field("serial_no", "number", lambda n: n.serial_no),
        Field("tags", "other", lambda n: n.tags),
    )


def _external(network: Network) -> str:
    ordered = sorted(network.external, key=lambda ip: tuple(map(int, ip.split("."))))
    return ", ".join(ordered)


def _groups(network: Network) -> list[list[str]]:
    link = network.connection
    return [[GROUP, link.mode, link.link, link.vlan]] if link else []


def _users(cluster: Cluster, network: Network) -> list[str]:
    return [
        instance.name
        for instance in cluster.instances
        if any(nic.network == network.name for nic in instance.nics)
    ]
