"""How the cluster, its one node and its one group look in answers."""

from __future__ import annotations

from typing import Any

from pocket.cluster import GROUP, Cluster
from pocket.create import BE_DEFAULTS

VERSION = "3.0.2"
FEATURES = (
    "node-migrate-reqv1",
    "node-evac-res1",
    "instance-create-reqv1",
    "instance-reinstall-reqv1",
)


def info(cluster: Cluster) -> dict[str, Any]:
    """What ``/2/info`` says."""
    node, ident = cluster.node, cluster.identity
    return {
        "software_version": VERSION,
        "protocol_version": 3000000,
        "config_version": 3000000,
        "os_api_version": 20,
        "export_version": 0,
        "vcs_version": "pocket",
        "architecture": ["64bits", "x86_64"],
        "name": node.cluster,
        "master": node.name,
        "default_hypervisor": cluster.hypervisor.name,
        "enabled_hypervisors": [cluster.hypervisor.name],
        "hvparams": {cluster.hypervisor.name: {}},
        "os_hvp": {},
        "beparams": {"default": BE_DEFAULTS},
        "osparams": {},
        "ipolicy": {"disk-templates": list(node.disk_templates)},
        "nicparams": {"default": {"mode": "bridged", "link": "br0", "vlan": ""}},
        "ndparams": {},
        "diskparams": {},
        "candidate_pool_size": 10,
        "max_running_jobs": 20,
        "max_tracked_jobs": 25,
        "mac_prefix": node.mac_prefix,
        "master_netdev": "lo",
        "master_netmask": 32,
        "volume_group_name": None,
        "drbd_usermode_helper": None,
        "default_iallocator": "pocket",
        "enabled_disk_templates": list(node.disk_templates),
        "primary_ip_version": 4,
        "enabled_user_shutdown": False,
        "ctime": ident["ctime"],
        "mtime": ident["ctime"],
        "uuid": ident["cluster"],
        "tags": sorted(cluster.tags),
    }


def node(cluster: Cluster) -> dict[str, Any]:
    """The one node, with its capacity in MiB."""
    names = [instance.name for instance in cluster.instances]
    size, ident = cluster.node, cluster.identity
    return {
        "name": size.name,
        "offline": False,
        "master_candidate": True,
        "drained": False,
        "dtotal": size.disk,
        "dfree": cluster.free_disk(),
        "sptotal": None,
        "spfree": None,
        "mtotal": size.memory,
        "mnode": 0,
        "mfree": cluster.free_memory(),
        "pinst_cnt": len(names),
        "sinst_cnt": 0,
        "ctotal": size.cpus,
        "cnos": size.cpus,
        "cnodes": 1,
        "csockets": 1,
        "pip": size.address,
        "sip": size.address,
        "role": "M",
        "pinst_list": names,
        "sinst_list": [],
        "master_capable": True,
        "vm_capable": True,
        "ndparams": {},
        "group.uuid": ident["group"],
        "group": GROUP,
        "ctime": ident["ctime"],
        "mtime": ident["ctime"],
        "uuid": ident["node"],
        "serial_no": 1,
        "tags": [],
    }


def group(cluster: Cluster) -> dict[str, Any]:
    """The one node group."""
    ident = cluster.identity
    return {
        "alloc_policy": "preferred",
        "name": GROUP,
        "node_cnt": 1,
        "node_list": [cluster.node.name],
        "ipolicy": {"disk-templates": list(cluster.node.disk_templates)},
        "custom_ipolicy": {},
        "diskparams": {},
        "custom_diskparams": {},
        "ndparams": {},
        "custom_ndparams": {},
        "ctime": ident["ctime"],
        "mtime": ident["ctime"],
        "uuid": ident["group"],
        "serial_no": 1,
        "tags": [],
    }
