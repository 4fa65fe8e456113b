"""What each network opcode does."""

from __future__ import annotations

from pocket.action import Action, Say, done
from pocket.cluster import GROUP, Cluster
from pocket.errors import UNKNOWN, WRONG_STATE, OpPrereqError
from pocket.networks import added, address, connected, mac_prefix
from pocket.params import Op


def add(cluster: Cluster, op: Op, say: Say) -> Action:
    """Make a network; with a conflicts check the node's address is reserved."""
    names = {network.name for network in cluster.networks}
    network = added(op, cluster.uuid(), cluster.clock.seconds(), names)
    own = cluster.node.address
    if op["conflicts_check"] and network.has(own):
        say(f" - INFO: Reserved IP address of node '{cluster.node.name}' ({own})")
        both = network.external | {own}
        return done(lambda: cluster.networks.keep(network, external=both))
    return done(lambda: cluster.networks.keep(network))


def remove(cluster: Cluster, op: Op, say: Say) -> Action:
    """Remove a network that is not connected."""
    network = cluster.networks.get(op["network_name"])
    if network.connection is not None:
        raise OpPrereqError("Network still connected", WRONG_STATE)
    return done(lambda: cluster.networks.remove(network.name))


def set_params(cluster: Cluster, op: Op, say: Say) -> Action:
    """Change gateway, prefix or reserved addresses."""
    network = cluster.networks.get(op["network_name"])
    more = {address(ip) for ip in op.get("add_reserved_ips") or ()}
    less = {address(ip) for ip in op.get("remove_reserved_ips") or ()}
    if op.get("gateway") and (more or less):
        raise OpPrereqError(
            "Cannot modify gateway and reserved ips at once", "wrong_input"
        )
    for ip in sorted(more):
        if not network.has(ip) or ip in network.external:
            say(f" - WARNING: Cannot reserve IP address {ip}")
            more = more - {ip}
    external = (network.external | more) - (less - {network.gateway or ""})
    changes: dict[str, object] = {}
    if op.get("mac_prefix"):
        none = op["mac_prefix"] == "none"
        changes["mac_prefix"] = None if none else mac_prefix(op["mac_prefix"])
    for key in ("network6", "gateway6"):
        if op.get(key):
            changes[key] = None if op[key] == "none" else op[key]
    if op.get("gateway"):
        external -= {network.gateway or ""}
        new = None if op["gateway"] == "none" else address(op["gateway"])
        if new is not None and new in external | cluster.instances.used(network.name):
            raise OpPrereqError(
                f"Gateway IP address '{new}' is already reserved", WRONG_STATE
            )
        external |= {new} if new else set()
        changes["gateway"] = new
    changes["external"] = external
    return done(lambda: cluster.networks.keep(network, **changes))


def _group(name: str) -> None:
    if name != GROUP:
        raise OpPrereqError(f"Node group '{name}' not found", UNKNOWN)


def connect(cluster: Cluster, op: Op, say: Say) -> Action:
    """Let instances use a network; a warning if they can already."""
    network = cluster.networks.get(op["network_name"])
    _group(op["group_name"])
    if network.connection is not None:
        say(f" - WARNING: Network '{network.name}' is already mapped to {GROUP}")
        return done(lambda: None)
    return done(lambda: cluster.networks.keep(network, connection=connected(op)))


def disconnect(cluster: Cluster, op: Op, say: Say) -> Action:
    """Let no instance use a network; refused while one does."""
    network = cluster.networks.get(op["network_name"])
    _group(op["group_name"])
    if network.connection is None:
        say(f" - WARNING: Network '{network.name}' is not mapped to {GROUP}")
        return done(lambda: None)
    users = [
        instance.name
        for instance in cluster.instances
        if any(nic.network == network.name for nic in instance.nics)
    ]
    if users:
        raise OpPrereqError(
            "Conflicting IP addresses found; remove/modify the corresponding"
            f" network interfaces of {', '.join(users[:10])}",
            WRONG_STATE,
        )
    return done(lambda: cluster.networks.keep(network, connection=None))
