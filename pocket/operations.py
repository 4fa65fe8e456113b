"""What each opcode does to instances, and the table of all opcodes.

A handler checks first (and raises `OpPrereqError`), then returns what is left
to do; a dry run stops in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from attrs import frozen

from pocket import modify, netops
from pocket.action import Action, Say, done
from pocket.cluster import Cluster
from pocket.create import new_instance
from pocket.errors import (
    NO_RESOURCES,
    WRONG_INPUT,
    WRONG_STATE,
    OpExecError,
    OpPrereqError,
)
from pocket.model import Instance
from pocket.networks import checked_tags
from pocket.params import Op


def create(cluster: Cluster, op: Op, say: Say) -> Action:
    """Make an instance, its disks from an image if there is one; start it."""
    image = None if op.get("no_install") else _image(op)
    instance = new_instance(cluster, op)
    cluster.instances.reserve(instance, 1)
    start = op["start"] and not op.get("no_install")

    async def act() -> Any:
        try:
            for number, disk in enumerate(instance.disks):
                say(f"* disk {number}, size {disk.size}M")
            say("* creating instance disks...")
            await cluster.space.make(instance, image, say)
        finally:
            cluster.instances.reserve(instance, -1)
        say(f"adding instance {instance.name} to cluster config")
        state = "up" if start else "down"
        kept = cluster.instances.keep(instance, admin_state=state)
        if start:
            say("* starting instance...")
            await _run(cluster, kept)
        return [cluster.node.name]

    def undo() -> None:
        cluster.instances.reserve(instance, -1)

    return Action(act, undo, [cluster.node.name])


def _image(op: Op) -> str | None:
    """The URL of the image, where the request has one.

    :raises OpPrereqError: it is of a form that only Synnefo's OS provider
        can write to a disk.
    """
    params: dict[str, Any] = {}
    for key in ("osparams", "osparams_private", "osparams_secret"):
        params |= op.get(key) or {}
    url = params.get("img_id")
    if url is None or "://" not in str(url):
        return None
    if params.get("img_format", "diskdump") != "diskdump":
        raise OpPrereqError("img_format must be diskdump", WRONG_INPUT)
    return str(url)


async def _run(cluster: Cluster, instance: Instance) -> Instance:
    """Start it; where another program took its screen's port, on a new one."""
    port = instance.port
    if port is not None and not cluster.hypervisor.port_free(port):
        port = cluster.free_port()
        instance = cluster.instances.keep(instance, port=port)
    await cluster.hypervisor.start(cluster.machine(instance))
    return instance


def _memory(cluster: Cluster, instance: Instance) -> None:
    free = cluster.free_memory()
    if instance.memory > free:
        raise OpPrereqError(
            f"Not enough memory on node {cluster.node.name} for starting instance"
            f" {instance.name}: needed {instance.memory} MiB, available {free} MiB",
            NO_RESOURCES,
        )


def _not_offline(instance: Instance) -> None:
    if instance.admin_state == "offline":
        raise OpPrereqError(
            f"Instance '{instance.name}' is marked to be offline", WRONG_STATE
        )


def startup(cluster: Cluster, op: Op, say: Say) -> Action:
    """Start an instance; success if it runs already."""
    instance = cluster.instances.get(op["instance_name"])
    _not_offline(instance)
    if not cluster.hypervisor.running(instance.name):
        _memory(cluster, instance)

    async def act() -> None:
        kept = cluster.instances.keep(instance, admin_state="up")
        if not cluster.hypervisor.running(instance.name):
            await _run(cluster, kept)

    return Action(act)


def shutdown(cluster: Cluster, op: Op, say: Say) -> Action:
    """Stop an instance; success if it is stopped already."""
    instance = cluster.instances.get(op["instance_name"])
    _not_offline(instance)

    async def act() -> None:
        if not op["no_remember"]:
            cluster.instances.keep(instance, admin_state="down")
        await cluster.hypervisor.stop(instance.name, op["timeout"])

    return Action(act)


def reboot(cluster: Cluster, op: Op, say: Say) -> Action:
    """Stop and start an instance; start it if it does not run."""
    instance = cluster.instances.get(op["instance_name"])
    _not_offline(instance)

    async def act() -> None:
        await cluster.hypervisor.stop(instance.name, op["shutdown_timeout"])
        await _run(cluster, cluster.instances.keep(instance, admin_state="up"))

    return Action(act)


def remove(cluster: Cluster, op: Op, say: Say) -> Action:
    """Stop an instance and remove it with its disks."""
    instance = cluster.instances.get(op["instance_name"])

    async def act() -> None:
        try:
            await cluster.hypervisor.stop(instance.name, op["shutdown_timeout"])
        except OpExecError as error:
            if not op["ignore_failures"]:
                raise
            say(f" - WARNING: Can't shutdown instance: {error}")
        await cluster.space.remove(instance.uuid)
        cluster.instances.remove(instance.name)

    return Action(act)


def reinstall(cluster: Cluster, op: Op, say: Say) -> Action:
    """Stop an instance, write its image anew if there is one, start it.

    Ganeti has an opcode for each of the three; here one is all of them.
    """
    instance = cluster.instances.get(op["instance_name"])
    _not_offline(instance)
    image = _image(op)

    async def act() -> None:
        kept = cluster.instances.keep(instance, admin_state="down")
        await cluster.hypervisor.stop(instance.name, 120)
        if image is not None and instance.disks:
            first = instance.disks[0]
            await cluster.space.discard(instance.uuid, first.uuid)
            single = msgspec.structs.replace(instance, disks=(first,))
            await cluster.space.make(single, image, say)
        if op["start"]:
            await _run(cluster, cluster.instances.keep(kept, admin_state="up"))

    return Action(act)


def tags_set(cluster: Cluster, op: Op, say: Say) -> Action:
    """Add tags to the cluster, an instance or a network."""
    tags = set(checked_tags(op["tags"]))
    old = find_tags(cluster, op["kind"], op.get("name"))
    return done(lambda: _keep_tags(cluster, op, old | tags))


def tags_del(cluster: Cluster, op: Op, say: Say) -> Action:
    """Take tags from the cluster, an instance or a network."""
    tags = set(checked_tags(op["tags"]))
    old = find_tags(cluster, op["kind"], op.get("name"))
    if not tags <= old:
        missing = ", ".join(f"'{tag}'" for tag in sorted(tags - old))
        raise OpPrereqError(f"Tag(s) {missing} not found", "unknown_entity")
    return done(lambda: _keep_tags(cluster, op, old - tags))


def find_tags(cluster: Cluster, kind: str, name: str | None) -> set[str]:
    """The tags of an object.

    :raises OpPrereqError: there is no such object.
    """
    if kind == "cluster":
        return set(cluster.tags)
    if kind == "instance":
        return set(cluster.instances.get(name or "").tags)
    return set(cluster.networks.get(name or "").tags)


def _keep_tags(cluster: Cluster, op: Op, tags: set[str]) -> None:
    ordered = tuple(sorted(tags))
    if op["kind"] == "cluster":
        cluster.tags = tags
        cluster.store.put("cluster", "tags", ordered)
    elif op["kind"] == "instance":
        cluster.instances.keep(cluster.instances.get(op["name"]), tags=ordered)
    else:
        cluster.networks.keep(cluster.networks.get(op["name"]), tags=ordered)


Handler = Callable[[Cluster, Op, Say], Action]
HANDLERS: Mapping[str, Handler] = {
    "OP_INSTANCE_CREATE": create,
    "OP_INSTANCE_REMOVE": remove,
    "OP_INSTANCE_STARTUP": startup,
    "OP_INSTANCE_SHUTDOWN": shutdown,
    "OP_INSTANCE_REBOOT": reboot,
    "OP_INSTANCE_SET_PARAMS": modify.set_params,
    "OP_INSTANCE_RENAME": modify.rename,
    "OP_INSTANCE_REINSTALL": reinstall,
    "OP_TAGS_SET": tags_set,
    "OP_TAGS_DEL": tags_del,
    "OP_NETWORK_ADD": netops.add,
    "OP_NETWORK_REMOVE": netops.remove,
    "OP_NETWORK_SET_PARAMS": netops.set_params,
    "OP_NETWORK_CONNECT": netops.connect,
    "OP_NETWORK_DISCONNECT": netops.disconnect,
}


@frozen
class Executor:
    """Carries opcodes out on a cluster.

    :ivar fails: called before every operation; may raise `OpExecError`.
    """

    cluster: Cluster
    fails: Callable[[Op], None]

    async def __call__(self, op: Op, say: Say) -> Any:
        """The operation's result; an `OpError` is its failure."""
        action = HANDLERS[op["OP_ID"]](self.cluster, op, say)
        if op.get("dry_run"):
            action.undo()
            say("dry-run mode requested, not actually executing the operation")
            return action.dry
        try:
            self.fails(op)
        except OpExecError:
            action.undo()
            raise
        return await action.act()


def locks(op: Op) -> frozenset[str]:
    """What an operation needs for itself: its instance or network."""
    if "instance_name" in op:
        return frozenset({f"instance/{op['instance_name']}"})
    if "network_name" in op:
        return frozenset({f"network/{op['network_name']}"})
    return frozenset({f"{op.get('kind')}/{op.get('name')}"})
