"""Requests that make an instance of others look like one of ours; pure.

They are no intents: nothing in the database waits for them, and a server is only
recorded once all of them were done.
"""

from __future__ import annotations

from collections.abc import Sequence

from snfd.ganeti import names
from snfd.ganeti.adoption import number
from snfd.ganeti.model import Instance, Kind
from snfd.ganeti.requests import Request

RENAME = "OP_INSTANCE_RENAME"


def refusal(instance: Instance, *, strip: bool) -> str:
    """Why an instance cannot be renamed; empty if it can.

    :param strip: whether cards on networks that are none of ours are removed.
    """
    if instance.oper_state is not False or instance.admin_state != "down":
        return "it is not stopped"
    if not strip and any(number("net", nic.network) is None for nic in instance.nics):
        return "it has cards on networks that are none of ours: --strip-nics"
    return ""


def unnamed(instance: Instance) -> tuple[int, int]:
    """How many cards that stay, and how many disks, have no name of ours."""
    cards = [
        nic
        for nic in instance.nics
        if number("net", nic.network) is not None and number("nic", nic.name) is None
    ]
    disks = [disk for disk in instance.disks if number("vol", disk.name) is None]
    return len(cards), len(disks)


def relabel(
    instance: Instance, ports: Sequence[int], volumes: Sequence[int]
) -> Request | None:
    """Name cards and disks, and remove cards that are on no network of ours.

    :param ports: numbers for those that have none; as `unnamed` counts them.
    :returns: None where nothing is to be done.
    """
    left, numbers = list(ports), list(volumes)
    nics: list[list[object]] = []
    gone: list[list[object]] = []
    for index, nic in enumerate(instance.nics):
        if number("net", nic.network) is None:
            # from the last, so that those before keep their places
            gone.insert(0, ["remove", str(index), {}])
        elif number("nic", nic.name) is None:
            nics.append(["modify", str(index), {"name": names.nic(left.pop(0))}])
    disks = [
        ["modify", str(index), {"name": names.volume(numbers.pop(0))}]
        for index, disk in enumerate(instance.disks)
        if number("vol", disk.name) is None
    ]
    body: dict[str, object] = {}
    if nics or gone:
        body["nics"] = [*nics, *gone]
    if disks:
        body["disks"] = disks
    return Request(Kind.MODIFY, instance.name, body) if body else None


def rename(old: str, server: int) -> Request:
    """Call a stopped instance after a server."""
    new = names.instance(server)
    body = {"new_name": new, "name_check": False, "ip_check": False}
    return Request(RENAME, old, body)
