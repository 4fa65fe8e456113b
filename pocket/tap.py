"""``twistd snfd-pocket``: the command line."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.python import usage

from pocket.cluster import Node
from pocket.service import Pocket, make_pocket
from pocket.settings import Settings
from pocket.users import WRITE, User, read_users

__all__ = ["Options", "Pocket", "Settings", "makeService", "make_pocket"]


class Options(usage.Options):
    """The command line of ``twistd snfd-pocket``."""

    synopsis = "[options]"
    longdesc = "A one-node cluster that speaks Ganeti's RAPI. For demos and tests."
    optParameters = [
        ["data", "d", None, "directory for all that outlives the process"],
        ["port", "p", "tcp:5080:interface=127.0.0.1", "endpoint of RAPI"],
        ["names", None, "localhost,127.0.0.1", "names in the certificate"],
        ["user", "u", "snfd", "name of the user who may call"],
        ["password-file", None, None, "file with that user's password"],
        ["users-file", None, None, "users in Ganeti's form: NAME PASSWORD write"],
        ["hypervisor", None, "auto", "auto, qemu, screen or fake"],
        ["kvm", None, "off", "off, or probe: use KVM where a Linux boots with it"],
        ["latency", None, 0.0, "seconds an operation takes at least", float],
        ["grace", None, 5.0, "seconds guests get to power off at the end", float],
        ["memory", None, 8192, "memory of the node in MiB", int],
        ["disk", None, 1048576, "disk of the node in MiB", int],
        ["vnc-address", None, "127.0.0.1", "address of the screens"],
        ["vnc-base", None, 11000, "first TCP port of the screens", int],
        ["vnc-password-file", None, None, "file with the screens' password"],
        ["image-hosts", None, "", "hosts to fetch images from, besides loopback"],
    ]
    optFlags = [
        ["plain", None, "RAPI without TLS"],
        ["control", None, "serve /pocket/ (faults on demand), for tests only"],
    ]

    def postOptions(self) -> None:
        """Refuse what cannot be.

        :raises usage.UsageError: a choice is unknown, or nobody may call.
        """
        for name, words in (
            ("hypervisor", ("auto", "qemu", "screen", "fake")),
            ("kvm", ("off", "probe")),
        ):
            if self[name] not in words:
                raise usage.UsageError(f"--{name} is one of {', '.join(words)}")
        if not self["password-file"] and not self["users-file"]:
            raise usage.UsageError("give --password-file or --users-file")


def settings_of(options: Options) -> Settings:
    """The settings that a command line means.

    :raises usage.UsageError: a file cannot be read.
    """
    try:
        users = _users(options)
        secret = options["vnc-password-file"]
        vnc_password = Path(secret).read_text().strip() if secret else None
    except OSError as error:
        raise usage.UsageError(str(error)) from error
    node = Node(
        memory=options["memory"],
        disk=options["disk"],
        vnc_address=options["vnc-address"],
        vnc_base=options["vnc-base"],
        vnc_password_file=secret or "",
    )
    return Settings(
        data=Path(options["data"]).absolute() if options["data"] else None,
        port=options["port"],
        tls=not options["plain"],
        names=tuple(filter(None, options["names"].split(","))),
        users=users,
        hypervisor=options["hypervisor"],
        kvm=options["kvm"],
        latency=options["latency"],
        grace=options["grace"],
        image_hosts=tuple(filter(None, options["image-hosts"].split(","))),
        vnc_password=vnc_password,
        bridge=os.environ.get("POCKET_BRIDGE") or None,
        control=bool(options["control"]),
        node=node,
    )


def _users(options: Options) -> tuple[User, ...]:
    if options["users-file"]:
        return tuple(read_users(Path(options["users-file"]).read_text()).values())
    password = Path(options["password-file"]).read_text().strip()
    return (User(options["user"], password, frozenset({WRITE})),)


def makeService(options: Options) -> Pocket:
    """The service that ``twistd snfd-pocket`` runs.

    :raises usage.UsageError: it cannot be made so.
    """
    from twisted.internet import reactor

    try:
        pocket = make_pocket(settings_of(options), reactor)
    except (OSError, ValueError) as error:
        raise usage.UsageError(str(error)) from error
    pocket.ready.addErrback(lambda _: reactor.stop())
    return pocket
