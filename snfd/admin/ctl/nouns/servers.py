"""Everybody's servers."""

from __future__ import annotations

from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, choice, flag, yes_no

WHICH = Param("server", "its number", COUNT, metavar="SERVER")
RUNNING = flag("running", "Stop a running one for it, and start it again.")
COLUMNS = (
    *("id", "name", "owner", "project", "backend", "state", "task", "suspended"),
    *("flavor", "addresses"),
)


def _act(name: str, text: str, *options: Param, warning: str = "") -> Verb:
    return Verb(
        name,
        "POST",
        f"/servers/{{server}}/{name}",
        text,
        "42" + (" --yes" if warning else ""),
        (WHICH,),
        options,
        warning=warning,
    )


SERVER = Noun(
    "server",
    "Servers of everybody; suspended ones obey administrators as well.",
    (
        Verb(
            "list",
            "GET",
            "/servers",
            "List servers by number.",
            "--owner alice@example.org --state STARTED",
            options=(
                Param("owner", "Only this user's."),
                Param("project", "Only in this project."),
                Param("backend", "Only on this cluster, by name or number."),
                Param("node", "Only on this node."),
                choice(
                    "state",
                    "Only those in this state.",
                    *("BUILD", "ERROR", "STOPPED", "STARTED", "DESTROYED"),
                ),
                yes_no("suspended", "Whether users may do nothing with it."),
                yes_no("busy", "Whether it has a task under way."),
                Param("flavor", "Only of this flavor, by number.", COUNT),
                Param("image", "Only those made of this image.", metavar="UUID"),
                Param("network", "Only with a card on this network.", COUNT),
                Param("name", "Only those whose name holds this text."),
                Param("address", "Only the one that has this IP address."),
                Param("mac", "Only the one with this MAC address."),
                Param(
                    "search",
                    "A number (42, snf-42, vm-42), an IP or MAC address, or a part of"
                    " the name.",
                ),
                flag("deleted", "Those that are gone instead."),
            ),
            columns=COLUMNS,
        ),
        Verb(
            "show",
            "GET",
            "/servers/{server}",
            "Show a server, with its cards, disks, latest jobs and what its owner was"
            " told.",
            "42",
            (WHICH,),
            parts={
                "nics": ("port", "network", "mac", "state", "firewall", "addresses"),
                "disks": ("index", "volume", "size", "status", "ganeti_name"),
                "jobs": ("id", "kind", "state", "job", "actor", "created", "error"),
                "diagnostics": ("at", "level", "source", "message"),
            },
        ),
        _act("start", "Start a stopped server."),
        _act("stop", "Stop a running server."),
        _act(
            "reboot",
            "Reboot a server; a stopped one is started.",
            flag("hard", "As if its power were cut."),
        ),
        _act(
            "suspend",
            "Have users do nothing with a server but look at it.\n\n"
            "It runs on; open consoles end.",
        ),
        _act("unsuspend", "Give a suspended server back to its users."),
        _act(
            "rescue",
            "Have a server start from a rescue image.",
            Param("image", "By number; one that suits if none is said.", COUNT),
            RUNNING,
        ),
        _act("unrescue", "Have a server start from its own disk again.", RUNNING),
        Verb(
            "resize",
            "POST",
            "/servers/{server}/resize",
            "Give a server another flavor of the same disk.",
            "42 7 --running",
            (WHICH, Param("flavor", "its number", COUNT)),
            (RUNNING,),
        ),
        Verb(
            "rename",
            "PATCH",
            "/servers/{server}",
            "Give a server another name.",
            "42 mail",
            (WHICH, Param("name", "what it is called from now on")),
        ),
        Verb(
            "reassign",
            "POST",
            "/servers/{server}/reassign",
            "Give a server, and what it uses of quotas, to another project of its"
            " owner.\n\nFloating IPs stay where they are.",
            "42 physics",
            (WHICH, Param("project", "by uuid or name")),
            (flag("shared", "Show it to all members of the project."),),
        ),
        Verb(
            "change-owner",
            "POST",
            "/servers/{server}/owner",
            "Give a server to somebody else.\n\n"
            "Disks, cards, addresses (floating ones too) and what all that uses of"
            " quotas go along; the stored password is forgotten. Networks that it is"
            " on stay whosever they are.",
            "42 bob@example.org --project physics --yes",
            (WHICH, Param("owner", "by uuid, username or e-mail")),
            (Param("project", "One of his; his own if none is said."),),
            warning="Give server {server} to {owner}?",
        ),
        Verb(
            "delete",
            "DELETE",
            "/servers/{server}",
            "Remove a server and its disks, whatever it is doing.",
            "42 --yes",
            (WHICH,),
            warning="Remove server {server} and its disks?",
        ),
    ),
)

HELPDESK = Noun(
    "helpdesk",
    "Whom and what somebody speaks of who calls for help; who looks is noted.",
    (
        Verb(
            "find",
            "GET",
            "/helpdesk/find",
            "Find what a few characters may mean.\n\n"
            "A uuid, an e-mail or a part of it, vm-42, an IPv4, IPv6 or MAC address, or"
            " what the name of a user, project, server, network or port begins with."
            " Of an address it is also told who had it before.",
            "198.51.100.7",
            (Param("query", "what to look for"),),
            columns=("kind", "id", "name", "owner", "server", "detail"),
        ),
        Verb(
            "account",
            "GET",
            "/helpdesk/accounts/{user}",
            "Show a user with servers, networks, addresses, projects, quota and latest"
            " logins.",
            "alice@example.org",
            (Param("user", "by uuid, username or e-mail"),),
            parts={
                "logins": ("method", "active", "last_login"),
                "projects": ("uuid", "project", "role", "state"),
                "servers": ("id", "name", "backend", "state", "task", "addresses"),
                "networks": ("id", "name", "kind", "state", "cidr"),
                "addresses": ("id", "address", "server"),
                "quotas": ("project", "resource", "limit", "usage", "pending"),
            },
        ),
    ),
)
