"""Which parameters an operation takes, of which type, with which default.

Pure. The tables follow the opcodes of Ganeti 3.0: RAPI refuses a parameter
that an opcode does not have, and one of the wrong type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from pocket.errors import Refusal

Op = dict[str, Any]
Check = Callable[[Any], bool]

REQUIRED = object()
FINAL = frozenset({"success", "error", "canceled"})
SECRET = ("osparams_private", "osparams_secret")
_TAG = re.compile(r"[\w.+*/:@-]{1,128}", re.ASCII)


def _bool(value: Any) -> bool:
    return isinstance(value, bool)


def _int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return _int(value) and value >= 0


def _str(value: Any) -> bool:
    return isinstance(value, str)


def _name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255


def _dict(value: Any) -> bool:
    return isinstance(value, dict)


def _maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _change(value: Any) -> bool:
    """One change of a NIC or disk: [verb, place, values] or [verb, values]."""
    return (
        isinstance(value, list)
        and 2 <= len(value) <= 3
        and isinstance(value[0], str | int)
        and isinstance(value[-1], dict)
    )


def _dependency(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and (_count(value[0]) or (_str(value[0]) and value[0].isdigit()))
        and _list(lambda word: word in FINAL)(value[1])
    )


def valid_tag(tag: str) -> bool:
    """Whether ``tag`` is one that Ganeti accepts."""
    return _TAG.fullmatch(tag) is not None


Field = tuple[Check, Any]
_COMMON: Mapping[str, Field] = {
    "dry_run": (_maybe(_bool), None),
    "debug_level": (_count, 0),
    "priority": (_int, 0),
    "depends": (_maybe(_list(_dependency)), None),
    "comment": (_maybe(_str), None),
    "reason": (_list(lambda value: isinstance(value, list)), []),
}
_INSTANCE: Mapping[str, Field] = {
    "instance_name": (_name, REQUIRED),
    "instance_uuid": (_maybe(_str), None),
}
_TIMEOUT: Mapping[str, Field] = {"shutdown_timeout": (_count, 120)}
_NETWORK: Mapping[str, Field] = {"network_name": (_name, REQUIRED)}
_OSPARAMS: Mapping[str, Field] = {
    "osparams": (_dict, {}),
    "osparams_private": (_dict, {}),
}

OPCODES: Mapping[str, Mapping[str, Field]] = {
    "OP_INSTANCE_CREATE": {
        "instance_name": (_name, REQUIRED),
        "force_variant": (_bool, False),
        "wait_for_sync": (_bool, True),
        "name_check": (_bool, False),
        "ignore_ipolicy": (_bool, False),
        "opportunistic_locking": (_bool, False),
        "beparams": (_dict, {}),
        "disks": (_list(_dict), REQUIRED),
        "disk_template": (_maybe(_str), None),
        "group_name": (_maybe(_str), None),
        "file_driver": (_maybe(_str), None),
        "file_storage_dir": (_maybe(_str), None),
        "hvparams": (_dict, {}),
        "hypervisor": (_maybe(_str), None),
        "iallocator": (_maybe(_str), None),
        "identify_defaults": (_bool, False),
        "ip_check": (_bool, False),
        "conflicts_check": (_bool, True),
        "mode": (_one_of("create", "import", "remote-import"), REQUIRED),
        "nics": (_list(_dict), REQUIRED),
        "no_install": (_maybe(_bool), None),
        **_OSPARAMS,
        "osparams_secret": (_dict, {}),
        "os_type": (_maybe(_str), None),
        "pnode": (_maybe(_str), None),
        "pnode_uuid": (_maybe(_str), None),
        "snode": (_maybe(_str), None),
        "start": (_bool, True),
        "forthcoming": (_bool, False),
        "tags": (_list(_str), []),
        "instance_communication": (_bool, False),
    },
    "OP_INSTANCE_REMOVE": {
        **_INSTANCE,
        **_TIMEOUT,
        "ignore_failures": (_bool, False),
    },
    "OP_INSTANCE_STARTUP": {
        **_INSTANCE,
        "force": (_bool, False),
        "ignore_offline_nodes": (_bool, False),
        "hvparams": (_dict, {}),
        "beparams": (_dict, {}),
        "no_remember": (_bool, False),
        "startup_paused": (_bool, False),
        **_TIMEOUT,
    },
    "OP_INSTANCE_SHUTDOWN": {
        **_INSTANCE,
        "force": (_bool, False),
        "ignore_offline_nodes": (_bool, False),
        "timeout": (_count, 120),
        "no_remember": (_bool, False),
        "admin_state_source": (_maybe(_str), None),
    },
    "OP_INSTANCE_REBOOT": {
        **_INSTANCE,
        **_TIMEOUT,
        "ignore_secondaries": (_bool, False),
        "reboot_type": (_one_of("soft", "hard", "full"), REQUIRED),
    },
    "OP_INSTANCE_SET_PARAMS": {
        **_INSTANCE,
        "force": (_bool, False),
        "force_variant": (_bool, False),
        "ignore_ipolicy": (_bool, False),
        "nics": (_list(_change), []),
        "disks": (_list(_change), []),
        "beparams": (_dict, {}),
        "hvparams": (_dict, {}),
        "disk_template": (_maybe(_str), None),
        "ext_params": (_dict, {}),
        "os_name": (_maybe(_str), None),
        **_OSPARAMS,
        "wait_for_sync": (_bool, True),
        "offline": (_maybe(_bool), None),
        "conflicts_check": (_bool, True),
        "hotplug": (_bool, False),
        "hotplug_if_possible": (_bool, False),
    },
    "OP_INSTANCE_RENAME": {
        **_INSTANCE,
        "new_name": (_name, REQUIRED),
        "name_check": (_bool, False),
        "ip_check": (_bool, False),
    },
    "OP_INSTANCE_REINSTALL": {
        **_INSTANCE,
        "os_type": (_maybe(_str), None),
        "force_variant": (_bool, False),
        "osparams": (_maybe(_dict), None),
        "start": (_bool, True),  # ours: Ganeti has further opcodes in the job
    },
    "OP_TAGS_SET": {
        "kind": (_str, REQUIRED),
        "name": (_maybe(_str), None),
        "tags": (_list(_str), REQUIRED),
    },
    "OP_TAGS_DEL": {
        "kind": (_str, REQUIRED),
        "name": (_maybe(_str), None),
        "tags": (_list(_str), REQUIRED),
    },
    "OP_NETWORK_ADD": {
        **_NETWORK,
        "network": (_maybe(_str), None),
        "gateway": (_maybe(_str), None),
        "network6": (_maybe(_str), None),
        "gateway6": (_maybe(_str), None),
        "mac_prefix": (_maybe(_str), None),
        "add_reserved_ips": (_maybe(_list(_str)), None),
        "conflicts_check": (_bool, True),
        "tags": (_list(_str), []),
    },
    "OP_NETWORK_REMOVE": {**_NETWORK, "force": (_bool, False)},
    "OP_NETWORK_SET_PARAMS": {
        **_NETWORK,
        "gateway": (_maybe(_str), None),
        "network6": (_maybe(_str), None),
        "gateway6": (_maybe(_str), None),
        "mac_prefix": (_maybe(_str), None),
        "add_reserved_ips": (_maybe(_list(_str)), None),
        "remove_reserved_ips": (_maybe(_list(_str)), None),
    },
    "OP_NETWORK_CONNECT": {
        **_NETWORK,
        "group_name": (_name, REQUIRED),
        "network_mode": (_one_of("bridged", "routed", "openvswitch"), "bridged"),
        "network_link": (_str, ""),
        "network_vlan": (_str, ""),
        "conflicts_check": (_bool, True),
    },
    "OP_NETWORK_DISCONNECT": {**_NETWORK, "group_name": (_name, REQUIRED)},
}


def class_name(op_id: str) -> str:
    """``OP_INSTANCE_CREATE`` -> ``OpInstanceCreate``."""
    return "".join(word.capitalize() for word in op_id.split("_"))


def fill(op_id: str, body: Mapping[str, Any], static: Mapping[str, Any]) -> Op:
    """The complete opcode for a request.

    :param body: what the client sent.
    :param static: what the resource sets; the client may not.
    :raises Refusal: 400; a parameter is unknown, missing or of a wrong type.
    """
    fields = {**_COMMON, **OPCODES[op_id]}
    both = sorted(set(body) & set(static))
    if both:
        raise Refusal(400, f"Can't overwrite static parameters {both}")
    given = {**body, **static}
    for name in given:
        if name not in fields:
            raise Refusal(
                400,
                f"Invalid body parameters: Object {class_name(op_id)}"
                f" doesn't support the parameter '{name}'",
            )
    op: Op = {}
    for name, (check, default) in fields.items():
        value = given.get(name, default)
        if value is REQUIRED or not check(value):
            raise Refusal(
                400,
                f"Invalid body parameters: Parameter '{op_id}.{name}' fails validation",
            )
        if name in given:
            op[name] = value
        elif default is not None or name in ("depends", "comment"):
            op[name] = copy(default)
    op["OP_ID"] = op_id
    return op


def masked(op: Op) -> Op:
    """``op`` as jobs show it: the values of secret OS parameters are null."""
    hidden = {key: dict.fromkeys(op[key]) for key in SECRET if op.get(key)}
    return {**op, **hidden} if hidden else op


def summary(op: Op) -> str:
    """One line on ``op``, such as ``INSTANCE_CREATE(snf-1)``."""
    subject = op.get("instance_name") or op.get("network_name")
    word = str(op["OP_ID"]).removeprefix("OP_")
    return f"{word}({subject})" if subject else word
