"""Clusters."""

from __future__ import annotations

import click

from snfd.admin.ctl.adopting import COLUMNS, adopt
from snfd.admin.ctl.files import text_of
from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, flag, yes_no

WHICH = Param("backend", "a cluster's name or number", metavar="BACKEND")


def _trust(given: str) -> str:
    """A fingerprint or nothing as it is; else what is in the file."""
    return given if not given or given.startswith("sha256:") else text_of(given)


TRUST = Param(
    "tls_ca",
    "File with the CA of its certificate, or sha256: and the fingerprint; '' for the"
    " system's CAs.",
    metavar="FILE|sha256:HEX",
    shape=_trust,
)
HYPERVISOR = Param(
    "hypervisor",
    "What new instances run on.",
    click.Choice(("kvm", "xen-pvm", "xen-hvm", "fake", "chroot", "lxc")),
)
SYSTEM = Param(
    "os_name", "OS definition and variant of new instances.", metavar="OS+VARIANT"
)
WEIGHT = Param(
    "weight",
    "How full it may be in comparison with others; 1 if nothing is said.",
    click.FloatRange(0, 1000, min_open=True),
)
URL = Param("url", "Its RAPI, https://host:5080.", required=True, metavar="URL")
USERNAME = Param("username", "Of its RAPI user, who may write.", required=True)

BACKEND = Noun(
    "backend",
    "Ganeti clusters that carry servers.",
    (
        Verb(
            "list",
            "GET",
            "/backends",
            "List clusters by number.",
            "--offline no",
            options=(
                yes_no("drained", "Only those that take, or do not take, new servers."),
                yes_no("offline", "Only those that nobody, or somebody, talks to."),
                yes_no("reachable", "Only those that do, or do not, answer."),
                Param("project", "Only those that this project is kept to."),
            ),
            columns=(
                *("id", "name", "state", "public", "weight", "servers"),
                *("memory_free", "memory", "disk_free", "disk"),
            ),
        ),
        Verb(
            "show",
            "GET",
            "/backends/{backend}",
            "Show what was set of a cluster, and whether it answers.",
            "athens",
            (WHICH,),
            parts={"projects": ("uuid", "name"), "people": ("uuid", "username")},
        ),
        Verb(
            "info",
            "GET",
            "/backends/{backend}/info",
            "Show what a cluster last told of itself, and what it carries.",
            "athens",
            (WHICH,),
        ),
        Verb(
            "add",
            "POST",
            "/backends",
            "Register a cluster.\n\n"
            "It is connected to at once: 'backend show' tells whether it answers, and"
            " what is wrong if it does not. Its password is stored sealed.",
            "athens --url https://ganeti.example.org:5080 --username snfd"
            " --tls-ca sha256:"
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
            " --password-stdin",
            (Param("name", "what it is called"),),
            (
                URL,
                USERNAME,
                TRUST,
                HYPERVISOR,
                SYSTEM,
                yes_no("public", "Whether any project may use it."),
                flag("drained", "Take no servers yet."),
                WEIGHT,
            ),
            asks="password",
        ),
        Verb(
            "modify",
            "PATCH",
            "/backends/{backend}",
            "Change a cluster.\n\n"
            "A drained one takes no new servers. Nobody talks to one that is offline:"
            " its servers are shown as they were last.",
            "athens --drained yes",
            (WHICH,),
            (
                Param("url", "Its RAPI, https://host:5080.", metavar="URL"),
                Param("username", "Of its RAPI user, who may write."),
                TRUST,
                HYPERVISOR,
                SYSTEM,
                yes_no("public", "Whether any project may use it."),
                yes_no("drained", "Whether it takes no new servers."),
                yes_no("offline", "Whether nobody talks to it."),
                WEIGHT,
            ),
            asks="password",
        ),
        Verb(
            "remove",
            "DELETE",
            "/backends/{backend}",
            "Remove a cluster that carries no servers.\n\n"
            "Networks are taken away there first, unless it is offline or does not"
            " answer.",
            "athens --yes",
            (WHICH,),
            warning="Remove the cluster {backend}?",
        ),
        Verb(
            "refresh",
            "POST",
            "/backends/{backend}/refresh",
            "Have a cluster looked at now: its figures, and whether its instances are"
            " as they should be.",
            "athens",
            (WHICH,),
        ),
        Verb(
            "dedicate",
            "POST",
            "/backends/{backend}/projects",
            "Keep a project to a cluster, or to several, one after the other.",
            "athens physics",
            (WHICH, Param("project", "by uuid or name")),
        ),
        Verb(
            "release",
            "DELETE",
            "/backends/{backend}/projects/{project}",
            "Keep a project to a cluster no longer; its servers stay.",
            "athens physics",
            (WHICH, Param("project", "by uuid or name")),
        ),
        Verb(
            "pin",
            "POST",
            "/backends/{backend}/people",
            "Send a person's new servers to a cluster, drained, public or neither.",
            "athens demo@example.org",
            (WHICH, Param("user", "by uuid, username or e-mail")),
        ),
        Verb(
            "unpin",
            "DELETE",
            "/backends/{backend}/people/{user}",
            "Send a person's new servers to a cluster no longer.",
            "athens demo@example.org",
            (WHICH, Param("user", "by uuid, username or e-mail")),
        ),
        Verb(
            "adopt",
            "POST",
            "/backends/{backend}/adoptions",
            "Make servers of instances that run there already.\n\n"
            "They keep their numbers, disks, cards, MAC and IP addresses; quota is"
            " charged whatever the limits say. Instances are called snf-<number>,"
            " their cards snf-nic-<number>, on networks called snf-net-<number>.",
            "athens --user demo@example.org --project physics --dry-run",
            (
                WHICH,
                Param(
                    "instances",
                    "names; all that are called like servers if none is said",
                    many=True,
                    metavar="[INSTANCE]...",
                ),
            ),
            (
                Param("user", "Whose they shall be.", required=True),
                Param("project", "Which project they count for.", required=True),
                flag("shared", "Show them to all members of the project."),
                flag("networks", "Make networks that are not known here, too."),
                flag("rename", "Rename those that are called otherwise, if stopped."),
                flag("strip_nics", "Remove their cards on networks not of ours."),
                flag("dry_run", "Only tell what would be done."),
            ),
            run=adopt,
        ),
        Verb(
            "adoption",
            "GET",
            "/backends/{backend}/adoptions/{adoption}",
            "Show what came of an earlier 'backend adopt'.",
            "athens 7",
            (WHICH, Param("adoption", "its number", COUNT)),
            parts={"results": COLUMNS},
        ),
        Verb(
            "nodes",
            "GET",
            "/backends/{backend}/nodes",
            "Show from where a cluster's hand-offs may be fetched: images, and what"
            " new servers are given.",
            "athens",
            (WHICH,),
        ),
        Verb(
            "allow",
            "PUT",
            "/backends/{backend}/nodes",
            "Say from where a cluster's hand-offs may be fetched: its nodes, or"
            " anywhere if none are named.",
            "athens --from 192.0.2.0/28",
            (WHICH,),
            (
                Param(
                    "networks",
                    "A node's address, or a network of them; repeatable.",
                    many=True,
                    metavar="ADDRESS",
                    spelled="from",
                ),
            ),
        ),
        Verb(
            "node-secret",
            "POST",
            "/backends/{backend}/nodes/secret",
            "Show what a cluster's nodes need to tell how builds go, if they have"
            " snf-image; see 'Ganeti nodes' in the manual.",
            "athens",
            (WHICH,),
        ),
    ),
)
