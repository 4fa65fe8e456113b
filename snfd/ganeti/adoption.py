"""Instances that are not ours yet, as those that could be; pure.

Names and tags are Synnefo's (``spec/cyclades.md`` §5.1, §5.7, §5.10), so that what
Synnefo made can be taken over as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from snfd.ganeti import names
from snfd.ganeti.model import Instance, Nic, Sighting

_NUMBERED = {
    what: re.compile(rf"snf-{what}-([1-9][0-9]{{0,17}})\Z")
    for what in ("nic", "vol", "net")
}
_FIREWALL = re.compile(r"synnefo:network:(.+):([a-z]+)\Z")
_PROFILES = {"protected": "ENABLED", "limited": "PROTECTED"}


@frozen
class Card:
    """A network card; numbers are those in Synnefo's names, None without one."""

    port: int | None
    network: int | None
    ip: str | None
    mac: str | None
    mode: str
    link: str
    firewall: str = "DISABLED"


@frozen
class Disk:
    """A disk; its size in MiB."""

    number: int | None
    size: int


@frozen
class Adoptee:
    """An instance that may become a server.

    :ivar runs: whether it does; None where nobody knows.
    :ivar meant: whether it is meant to.
    """

    name: str
    server: int
    vcpus: int
    memory: int
    template: str
    runs: bool | None
    meant: bool
    node: str | None
    cards: tuple[Card, ...]
    disks: tuple[Disk, ...]

    @property
    def gib(self) -> int:
        """All of its disks together, each in full GiB."""
        return sum(gib(disk.size) for disk in self.disks)


def gib(mib: int) -> int:
    """GiB that hold so many MiB."""
    return max(1, -(-mib // 1024))


def number(what: str, name: str | None) -> int | None:
    """The number in a name of Synnefo's; ``what`` is ``nic``, ``vol`` or ``net``."""
    found = _NUMBERED[what].match(name or "")
    return int(found[1]) if found else None


def adoptee(instance: Instance) -> Adoptee | None:
    """What an instance would be; None if its name is none of ours."""
    subject = names.subject_of_instance(instance.name)
    if subject is None:
        return None
    profiles = _profiles(instance.tags)
    return Adoptee(
        name=instance.name,
        server=int(subject.partition(":")[2]),
        vcpus=instance.vcpus,
        memory=instance.memory,
        template=instance.disk_template,
        runs=None if instance.status.startswith("ERROR_node") else instance.oper_state,
        meant=instance.admin_state == "up" and instance.status != "USER_down",
        node=instance.node,
        cards=tuple(_card(nic, profiles) for nic in instance.nics),
        disks=tuple(Disk(number("vol", one.name), one.size) for one in instance.disks),
    )


def _profiles(tags: Iterable[str]) -> Mapping[str, str]:
    found = (_FIREWALL.match(tag) for tag in tags)
    return {one[1]: _PROFILES.get(one[2], "DISABLED") for one in found if one}


def _card(nic: Nic, profiles: Mapping[str, str]) -> Card:
    return Card(
        port=number("nic", nic.name),
        network=number("net", nic.network),
        ip=nic.ip,
        mac=nic.mac,
        mode=nic.mode or "bridged",
        link=nic.link or "",
        firewall=profiles.get(nic.name or "", "DISABLED"),
    )


def obstacles(one: Adoptee) -> list[str]:
    """Why an instance cannot be taken over as it is; empty if it can."""
    found = []
    if one.runs is None:
        found.append("nobody knows whether it runs")
    if one.vcpus < 1 or one.memory < 1 or not one.disks:
        found.append("it has no CPU, no memory or no disk")
    for index, card in enumerate(one.cards):
        if card.port is None:
            found.append(f"card {index} is not called snf-nic-<number>")
        if card.network is None:
            found.append(f"card {index} is on no network called snf-net-<number>")
        if card.mac is None:
            found.append(f"card {index} has no MAC address")
    return found


@frozen
class Chosen:
    """Which instances to look at, in order, and those asked for in vain.

    :ivar foreign: those that are called otherwise, and must be renamed.
    """

    names: tuple[str, ...]
    foreign: tuple[str, ...]
    vain: Mapping[str, str]


def chosen(
    asked: Sequence[str],
    seen: Iterable[Sighting],
    known: frozenset[str],
    *,
    rename: bool = False,
) -> Chosen:
    """The instances to take over.

    :param asked: names; empty for all that are called like servers.
    :param known: subjects of the servers that have a row.
    :param rename: whether those that are called otherwise are, if asked for.
    """
    subjects = {one.name: names.subject_of_instance(one.name) for one in seen}
    free = {name for name, subject in subjects.items() if subject not in known}
    vain = {
        name: "there is no such instance"
        if name not in subjects
        else "it is a server already"
        if name not in free
        else "it is not called snf-<number>: --rename"
        for name in asked
        if name not in free or (subjects[name] is None and not rename)
    }
    wanted = [name for name in (asked or free) if name in free and subjects[name]]
    ordered = sorted(set(wanted), key=lambda name: int(name.rpartition("-")[2]))
    foreign = dict.fromkeys(
        name for name in asked if name not in vain and subjects[name] is None
    )
    return Chosen(tuple(ordered), tuple(foreign), vain)
