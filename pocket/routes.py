"""RAPI's resources: method and path to what is asked or submitted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from attrs import evolve

from pocket import node, queries, views
from pocket.call import Call, uris
from pocket.errors import OpError, Refusal
from pocket.operations import find_tags


def _renamed(body: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(body, dict):
        return body
    for old, new in names.items():
        if old in body and new in body:
            raise Refusal(
                400,
                f"Parameter '{old}' was renamed to '{new}', but both are specified",
            )
    return {names.get(name, name): value for name, value in body.items()}


# -- the cluster -------------------------------------------------------------


def get_nodes(call: Call) -> Any:
    """The one node."""
    found = node.node(call.cluster)
    bulk = call.flag("bulk")
    return [found] if bulk else uris([found["name"]], "nodes", "id")


def get_node(call: Call) -> Any:
    """The node by its name."""
    return _only(node.node(call.cluster), call.item)


def get_groups(call: Call) -> Any:
    """The one group."""
    found = node.group(call.cluster)
    bulk = call.flag("bulk")
    return [found] if bulk else uris([found["name"]], "groups", "name")


def get_group(call: Call) -> Any:
    """The group by its name."""
    return _only(node.group(call.cluster), call.item)


def _only(found: dict[str, Any], name: str) -> dict[str, Any]:
    if found["name"] != name:
        raise Refusal(404, "Nothing matches the given URI")
    return found


# -- instances ---------------------------------------------------------------


def get_instances(call: Call) -> Any:
    """All instances."""
    if not call.flag("bulk"):
        return uris([i.name for i in call.cluster.instances], "instances", "id")
    fields = views.instance_fields(call.cluster)
    return [views.row(fields, views.INSTANCE_FIELDS, i) for i in call.cluster.instances]


def get_instance(call: Call) -> Any:
    """One instance."""
    found = _found(lambda: call.cluster.instances.get(call.item))
    fields = views.instance_fields(call.cluster)
    return views.row(fields, views.INSTANCE_FIELDS, found)


def _found(get: Callable[[], Any]) -> Any:
    try:
        return get()
    except OpError:
        raise Refusal(404, "Nothing matches the given URI") from None


def get_console(call: Call) -> Any:
    """Ganeti 3.0.2's own answer: use ``network_port`` instead."""
    if call.item not in call.cluster.instances:
        raise Refusal(500, "list index out of range")
    if not call.cluster.hypervisor.running(call.item):
        raise Refusal(503, "Instance console unavailable")
    if call.cluster.hypervisor.screens:
        raise Refusal(500, "AssertionError")
    text = "Console not available for fake hypervisor"
    return {"instance": call.item, "kind": "msg", "message": text}


def create_instance(call: Call) -> int:
    """Submit the creation of an instance."""
    if not isinstance(call.body, dict):
        kind = type(call.body).__name__
        raise Refusal(400, f"Body contents: Type is '{kind}', but 'dict' is expected")
    body = dict(call.body)
    version = body.pop("__version__", 0)
    if version == 0:
        raise Refusal(400, "Instance creation request version 0 is no longer supported")
    if version != 1:
        raise Refusal(400, f"Unsupported request data version {version}")
    body = _renamed(body, {"os": "os_type", "name": "instance_name"})
    return call.submit(
        "OP_INSTANCE_CREATE", "instances", body, dry_run=call.flag("dry-run")
    )


def _instance(op: str, source: str, *, with_body: bool = True) -> Callable[[Call], int]:
    """A resource that submits an operation on the instance in its path."""

    def submit(call: Call) -> int:
        static: dict[str, Any] = {
            "instance_name": call.item,
            "dry_run": call.flag("dry-run"),
        }
        if op in ("OP_INSTANCE_STARTUP", "OP_INSTANCE_SHUTDOWN"):
            static["no_remember"] = call.flag("no_remember")
        if op == "OP_INSTANCE_STARTUP":
            static["force"] = call.flag("force")
        if op == "OP_INSTANCE_REBOOT":
            static["reboot_type"] = call.args.get("type", ["hard"])[0]
            static["ignore_secondaries"] = call.flag("ignore_secondaries")
        if op == "OP_INSTANCE_REMOVE":
            static["ignore_failures"] = False
        return call.submit(op, source, call.body if with_body else {}, **static)

    return submit


def modify_instance(call: Call) -> int:
    """Submit a change of an instance."""
    names = {"custom_beparams": "beparams", "custom_hvparams": "hvparams"}
    return call.submit(
        "OP_INSTANCE_SET_PARAMS",
        "instances_name_modify",
        _renamed(call.body, names),
        instance_name=call.item,
    )


def reinstall_instance(call: Call) -> int:
    """Submit a run of the OS definition; as Ganeti's, it takes no dependencies."""
    if call.body and call.args:
        raise Refusal(400, "Can't combine query and body parameters")
    body = call.body or {}
    if not isinstance(body, dict):
        raise Refusal(400, "Invalid body contents, not a dictionary")
    given = {"os_type": body.get("os"), "osparams": body.get("osparams")}
    start = body.get("start", not call.flag("nostartup"))
    bare = evolve(call, body=None)
    return bare.submit(
        "OP_INSTANCE_REINSTALL",
        "instances_name_reinstall",
        given,
        instance_name=call.item,
        start=start,
    )


# -- tags --------------------------------------------------------------------


def _tags(kind: str, op: str) -> Callable[[Call], int]:
    def submit(call: Call) -> int:
        source = "tags" if kind == "cluster" else f"{kind}s_name_tags"
        return call.submit(
            op,
            source,
            {},
            kind=kind,
            name=call.item or None,
            tags=call.args.get("tag", []),
            dry_run=call.flag("dry-run"),
        )

    return submit


def _get_tags(kind: str) -> Callable[[Call], Any]:
    return lambda call: sorted(
        _found(lambda: find_tags(call.cluster, kind, call.item or None))
    )


# -- networks ----------------------------------------------------------------


def get_networks(call: Call) -> Any:
    """All networks."""
    if not call.flag("bulk"):
        return uris([n.name for n in call.cluster.networks], "networks", "name")
    fields = views.network_fields(call.cluster)
    return [views.row(fields, views.NETWORK_FIELDS, n) for n in call.cluster.networks]


def get_network(call: Call) -> Any:
    """One network."""
    found = _found(lambda: call.cluster.networks.get(call.item))
    return views.row(views.network_fields(call.cluster), views.NETWORK_FIELDS, found)


def create_network(call: Call) -> int:
    """Submit the creation of a network."""
    body = _renamed(call.body, {"name": "network_name"})
    return call.submit("OP_NETWORK_ADD", "networks", body, dry_run=call.flag("dry-run"))


def _network(op: str, source: str) -> Callable[[Call], int]:
    def submit(call: Call) -> int:
        static: dict[str, Any] = {"network_name": call.item}
        if op != "OP_NETWORK_SET_PARAMS":
            static["dry_run"] = call.flag("dry-run")
        return call.submit(op, source, call.body, **static)

    return submit


Handler = Callable[[Call], Any]
_NAME = "([^/]+)"
ROUTES: list[tuple[str, dict[str, Handler]]] = [
    ("/version", {"GET": lambda call: 2}),
    ("/2/?", {"GET": lambda call: None}),
    ("/2/info", {"GET": lambda call: node.info(call.cluster)}),
    ("/2/features", {"GET": lambda call: list(node.FEATURES)}),
    ("/2/os", {"GET": lambda call: [call.cluster.node.os_name]}),
    ("/2/nodes", {"GET": get_nodes}),
    (f"/2/nodes/{_NAME}", {"GET": get_node}),
    ("/2/groups", {"GET": get_groups}),
    (f"/2/groups/{_NAME}", {"GET": get_group}),
    ("/2/instances", {"GET": get_instances, "POST": create_instance}),
    (
        f"/2/instances/{_NAME}",
        {
            "GET": get_instance,
            "DELETE": _instance("OP_INSTANCE_REMOVE", "instances_name"),
        },
    ),
    (
        f"/2/instances/{_NAME}/startup",
        {
            "PUT": _instance(
                "OP_INSTANCE_STARTUP", "instances_name_startup", with_body=False
            )
        },
    ),
    (
        f"/2/instances/{_NAME}/shutdown",
        {"PUT": _instance("OP_INSTANCE_SHUTDOWN", "instances_name_shutdown")},
    ),
    (
        f"/2/instances/{_NAME}/reboot",
        {"POST": _instance("OP_INSTANCE_REBOOT", "instances_name_reboot")},
    ),
    (f"/2/instances/{_NAME}/modify", {"PUT": modify_instance}),
    (
        f"/2/instances/{_NAME}/rename",
        {"PUT": _instance("OP_INSTANCE_RENAME", "instances_name_rename")},
    ),
    (f"/2/instances/{_NAME}/reinstall", {"POST": reinstall_instance}),
    (f"/2/instances/{_NAME}/console", {"GET": get_console}),
    *(
        (
            path,
            {
                "GET": _get_tags(kind),
                "PUT": _tags(kind, "OP_TAGS_SET"),
                "DELETE": _tags(kind, "OP_TAGS_DEL"),
            },
        )
        for kind, path in (
            ("cluster", "/2/tags"),
            ("instance", f"/2/instances/{_NAME}/tags"),
            ("network", f"/2/networks/{_NAME}/tags"),
        )
    ),
    ("/2/networks", {"GET": get_networks, "POST": create_network}),
    (
        f"/2/networks/{_NAME}",
        {"GET": get_network, "DELETE": _network("OP_NETWORK_REMOVE", "networks_name")},
    ),
    *(
        (f"/2/networks/{_NAME}/{verb}", {"PUT": _network(op, f"networks_name_{verb}")})
        for verb, op in (
            ("connect", "OP_NETWORK_CONNECT"),
            ("disconnect", "OP_NETWORK_DISCONNECT"),
            ("modify", "OP_NETWORK_SET_PARAMS"),
        )
    ),
    ("/2/jobs", {"GET": queries.get_jobs}),
    (f"/2/jobs/{_NAME}", {"GET": queries.get_job, "DELETE": queries.cancel_job}),
    (f"/2/query/{_NAME}", {"PUT": queries.query}),
]
_COMPILED = [(re.compile(path), handlers) for path, handlers in ROUTES]


def find(method: str, path: str) -> tuple[Handler, str]:
    """The handler for a request and the name in its path.

    :raises Refusal: 404 for an unknown path, 501 for an unknown method.
    """
    for pattern, handlers in _COMPILED:
        match = pattern.fullmatch(path)
        if match is None:
            continue
        if method not in handlers:
            raise Refusal(501, f"Method {method} is unsupported for path {path}")
        return handlers[method], unquote(match[1]) if match.groups() else ""
    raise Refusal(404, "Nothing matches the given URI")
