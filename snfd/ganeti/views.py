"""From RAPI's rows to instances, networks and clusters; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from snfd.ganeti.model import Card, Description, Disk, Instance, Network, Nic, Sighting
from snfd.ganeti.port import Away

SIGHTING_FIELDS = (
    "name",
    "admin_state",
    "oper_state",
    "status",
    "serial_no",
    "tags",
    "be/vcpus",
    "be/maxmem",
    "nic.names",
    "nic.ips",
)
_NIC = (
    "nic.names",
    "nic.networks.names",
    "nic.ips",
    "nic.macs",
    "nic.modes",
    "nic.links",
    "nic.uuids",
)
_DISK = ("disk.names", "disk.sizes", "disk.uuids")
INSTANCE_FIELDS = (
    *SIGHTING_FIELDS,
    "uuid",
    "pnode",
    "snodes",
    "network_port",
    "disk_template",
    "hvparams",
    *(name for name in _NIC if name not in SIGHTING_FIELDS),
    *_DISK,
)
NETWORK_FIELDS = (
    "name",
    "uuid",
    "network",
    "gateway",
    "mac_prefix",
    "group_list",
    "external_reservations",
    "tags",
)
NODE_FIELDS = (
    "name",
    "offline",
    "drained",
    "vm_capable",
    "mfree",
    "mtotal",
    "dfree",
    "dtotal",
    "pinst_cnt",
    "ctotal",
)

Named = Mapping[str, Any]


def rows(answer: Any, fields: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a query's answer by field; None where it knows no value.

    :raises Away: it is not such an answer.
    """
    try:
        return [
            {
                name: value if code == 0 else None
                for name, (code, value) in zip(fields, row, strict=True)
            }
            for row in answer["data"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise Away(f"no answer to a query: {answer!r:.200}") from error


def sighting(row: Named) -> Sighting:
    """The instance in brief that a row of `SIGHTING_FIELDS` tells of."""
    return Sighting(
        row["name"],
        row["admin_state"],
        row["oper_state"],
        row["status"] or "",
        row["serial_no"] or 0,
        frozenset(row["tags"] or ()),
        _size(row),
        frozenset(_cards(row)),
    )


def _size(row: Named) -> tuple[int, int] | None:
    cpu, ram = row["be/vcpus"], row["be/maxmem"]
    return (cpu, ram) if cpu and ram else None


def _cards(row: Named) -> Iterator[Card]:
    for name, ip in _columns(row, ("nic.names", "nic.ips")):
        yield name or "", ip


def instance(row: Named) -> Instance:
    """The instance that a row of `INSTANCE_FIELDS` tells of."""
    return Instance(
        row["name"],
        row["uuid"],
        row["admin_state"],
        row["oper_state"],
        row["status"] or "",
        row["serial_no"] or 0,
        row["pnode"],
        row["network_port"],
        row["be/vcpus"] or 0,
        row["be/maxmem"] or 0,
        row["disk_template"] or "",
        row["hvparams"] or {},
        tuple(Nic(*each) for each in _columns(row, _NIC)),
        tuple(Disk(*each) for each in _columns(row, _DISK)),
        frozenset(row["tags"] or ()),
        tuple(row["snodes"] or ()),
    )


def _columns(row: Named, fields: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*((row[name] or []) for name in fields), strict=False)


def network(row: Named) -> Network:
    """The network that a row of `NETWORK_FIELDS` tells of."""
    reserved = row["external_reservations"] or ""
    return Network(
        row["name"],
        row["uuid"],
        row["network"],
        row["gateway"],
        row["mac_prefix"],
        tuple(group[0] for group in row["group_list"] or ()),
        tuple(word for word in reserved.replace(",", " ").split() if word),
        frozenset(row["tags"] or ()),
    )


def description(
    info: Named, nodes: Iterable[Named], groups: Sequence[str]
) -> Description:
    """The cluster that ``/2/info`` and rows of `NODE_FIELDS` tell of."""
    good = [
        node
        for node in nodes
        if node["vm_capable"] and not node["offline"] and not node["drained"]
    ]
    return Description(
        info["name"],
        info["software_version"],
        tuple(info["enabled_hypervisors"]),
        _templates(info),
        tuple(groups),
        *(sum(node[key] or 0 for node in good) for key in NODE_FIELDS[4:]),
    )


def _templates(info: Named) -> tuple[str, ...]:
    enabled = info.get("enabled_disk_templates") or ()
    policy = info.get("ipolicy") or {}
    allowed = policy.get("disk-templates") or enabled
    return tuple(name for name in enabled if name in allowed)
