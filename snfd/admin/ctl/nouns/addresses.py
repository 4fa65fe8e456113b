"""Ports, floating IPs, and who had public addresses."""

from __future__ import annotations

from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, choice, flag, yes_no

WHICH_PORT = Param("port", "its number", COUNT)
WHICH = Param("floating_ip", "its number", COUNT)
SERVER = Param("server", "a server's number", COUNT)
OF_SERVER = Param("server", "Only those of this server.", COUNT)
OF_NETWORK = Param("network", "Only those of this network.", COUNT)
OF_USER = Param("user", "Only those of this user.")
OF_PROJECT = Param("project", "Only those of this project.")
HISTORY_COLUMNS = (
    *("at", "action", "address", "server", "owner", "project", "floating", "reason"),
)

PORT = Noun(
    "port",
    "Network cards, of servers or kept for them.",
    (
        Verb(
            "list",
            "GET",
            "/ports",
            "List ports by number.",
            "--server 42",
            options=(
                OF_SERVER,
                OF_NETWORK,
                OF_USER,
                OF_PROJECT,
                choice("state", "How far it is.", "DOWN", "BUILD", "ACTIVE", "ERROR"),
                Param("mac", "Only the one with this MAC address."),
                Param("address", "Only the one with this address."),
            ),
            columns=(
                *("id", "state", "server", "network", "owner", "project"),
                *("mac", "addresses", "firewall"),
            ),
        ),
        Verb("show", "GET", "/ports/{port}", "Show a port.", "77", (WHICH_PORT,)),
        Verb(
            "remove",
            "DELETE",
            "/ports/{port}",
            "Remove a port.\n\nFrom its server, if it has one, by a job; floating IPs"
            " stay their owners'.",
            "77 --yes",
            (WHICH_PORT,),
            warning="Remove port {port}?",
        ),
    ),
)

FLOATING_IP = Noun(
    "floating-ip",
    "Addresses that users keep, and who had a public address when.",
    (
        Verb(
            "list",
            "GET",
            "/floating-ips",
            "List floating IPs by number.",
            "--free yes",
            options=(
                OF_NETWORK,
                OF_SERVER,
                OF_USER,
                OF_PROJECT,
                Param("address", "Only this one."),
                yes_no("free", "Only those that no server has, or that one has."),
            ),
            columns=(
                *("id", "address", "network", "owner", "project"),
                *("server", "port", "created"),
            ),
        ),
        Verb(
            "show",
            "GET",
            "/floating-ips/{floating_ip}",
            "Show a floating IP.",
            "9",
            (WHICH,),
        ),
        Verb(
            "create",
            "POST",
            "/floating-ips",
            "Take a floating IP for somebody.",
            "demo@example.org demo --network 5",
            (
                Param("owner", "whose it shall be"),
                Param("project", "which project pays for it"),
            ),
            (
                Param("network", "Which pool, else any.", COUNT),
                Param("address", "Which address, else any of the pool's."),
                flag("shared", "All members of the project may use it."),
            ),
        ),
        Verb(
            "remove",
            "DELETE",
            "/floating-ips/{floating_ip}",
            "Give a floating IP, which no server has, back to its pool.",
            "9 --yes",
            (WHICH,),
            warning="Give floating IP {floating_ip} back to its pool?",
        ),
        Verb(
            "attach",
            "POST",
            "/floating-ips/{floating_ip}/server",
            "Give a server a card with a floating IP.",
            "9 42",
            (WHICH, SERVER),
        ),
        Verb(
            "detach",
            "DELETE",
            "/floating-ips/{floating_ip}/server",
            "Take a floating IP off its server.",
            "9 --yes",
            (WHICH,),
            warning="Take floating IP {floating_ip} off its server?",
        ),
        Verb(
            "history",
            "GET",
            "/address-history",
            "List when public addresses came to servers and left them, latest first."
            "\n\nFloating or not, and of either version of IP.",
            "--address 198.51.100.7",
            options=(
                Param("address", "Only this one."),
                Param("server", "Only those of this server.", COUNT),
                Param("user", "Only those of this user's servers."),
                Param("since", "From then on.", metavar="TIME"),
                Param("until", "Before then.", metavar="TIME"),
            ),
            columns=HISTORY_COLUMNS,
        ),
        Verb(
            "holder",
            "GET",
            "/addresses/{address}/holders",
            "Show who had a public address at a time, or has it now.",
            "198.51.100.7 --at 2026-03-01T12:00:00Z",
            (Param("address", "a public address"),),
            (Param("at", "When, else now.", metavar="TIME"),),
            columns=HISTORY_COLUMNS,
        ),
    ),
)
