"""Subnets, and pools of what networks must have for themselves."""

from __future__ import annotations

import click

from snfd.admin.ctl.nouns.networks import DNS, RANGE, ROUTE, SUBNET_COLUMNS
from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, choice, flag, yes_no

SUBNET_ID = Param("subnet", "its number", COUNT)
POOL_ID = Param("pool", "its number", COUNT)
SIZE = Param("size", "how much it holds", COUNT)

SUBNET = Noun(
    "subnet",
    "Ranges of addresses on networks.",
    (
        Verb(
            "list",
            "GET",
            "/subnets",
            "List subnets by number.",
            "--network 5",
            options=(
                Param("network", "Only those of this network.", COUNT),
                Param("ip_version", "Only those of it, 4 or 6.", click.IntRange(4, 6)),
                yes_no("public", "Only those of public, or private, networks."),
            ),
            columns=SUBNET_COLUMNS,
        ),
        Verb(
            "show",
            "GET",
            "/subnets/{subnet}",
            "Show a subnet, how full it is, and which addresses nobody gets.",
            "7",
            (SUBNET_ID,),
            parts={"reserved_addresses": ("address", "by")},
        ),
        Verb(
            "create",
            "POST",
            "/subnets",
            "Give a network, which no cluster has yet, a range.",
            "5 10.0.0.0/24 --dns 10.0.0.53",
            (
                Param("network", "number of the network", COUNT),
                Param("cidr", "the range; of IPv6 a /64", metavar="CIDR"),
            ),
            (
                Param("name", "What it is called."),
                Param("gateway", "Else the first address.", metavar="IP|none"),
                flag("no_dhcp", "Guests get no addresses by DHCP."),
                DNS,
                ROUTE,
                RANGE,
            ),
        ),
        Verb(
            "modify",
            "PATCH",
            "/subnets/{subnet}",
            "Change a subnet.\n\nPools of addresses can only grow; name servers and"
            " routes are replaced, and guests hear of them with their next lease.",
            "7 --pool 198.51.100.2-198.51.100.254 --quarantine 300",
            (SUBNET_ID,),
            (
                Param("name", "What it is called."),
                DNS,
                ROUTE,
                yes_no("dhcp", "Whether guests get addresses by DHCP."),
                RANGE,
                Param("quarantine", "How long addresses rest.", COUNT, metavar="S"),
            ),
        ),
        Verb(
            "remove",
            "DELETE",
            "/subnets/{subnet}",
            "Remove a subnet of which no address is taken.",
            "7 --yes",
            (SUBNET_ID,),
            warning="Remove subnet {subnet}?",
        ),
        Verb(
            "reserve",
            "POST",
            "/subnets/{subnet}/reserved",
            "Give addresses to nobody any more; who has one keeps it.",
            "7 198.51.100.9 198.51.100.20-198.51.100.29",
            (
                SUBNET_ID,
                Param("addresses", "addresses, or FIRST-LAST", many=True,
                      required=True, metavar="IP..."),
            ),
        ),
        Verb(
            "release",
            "DELETE",
            "/subnets/{subnet}/reserved/{addresses}",
            "Give an address, or a range of them, out again.",
            "7 198.51.100.20-198.51.100.29",
            (SUBNET_ID, Param("addresses", "an address, or FIRST-LAST", metavar="IP")),
        ),
    ),
)  # fmt: skip

POOL = Noun(
    "pool",
    "MAC prefixes and bridges, of which each network has one for itself.",
    (
        Verb(
            "list",
            "GET",
            "/pools",
            "List pools by number.",
            "",
            options=(
                choice("kind", "Only those of this kind.", "bridge", "mac-prefix"),
            ),
            columns=("id", "kind", "base", "size", "used", "reserved", "free"),
        ),
        Verb(
            "show",
            "GET",
            "/pools/{pool}",
            "Show a pool, and what of it is taken or reserved.",
            "1",
            (POOL_ID,),
            parts={"taken": ("value", "state", "network")},
        ),
        Verb(
            "create",
            "POST",
            "/pools",
            "Make a pool.\n\nBridges are called after the base, prv1, prv2 and so on;"
            " MAC prefixes follow theirs, which is itself not given out.",
            "bridge prv 20",
            (
                Param("kind", "bridge or mac-prefix",
                      click.Choice(("bridge", "mac-prefix"))),
                Param("base", "what it begins with"),
                SIZE,
            ),
        ),
        Verb(
            "modify",
            "PATCH",
            "/pools/{pool}",
            "Have a pool hold more.",
            "2 40",
            (POOL_ID, SIZE),
        ),
        Verb(
            "remove",
            "DELETE",
            "/pools/{pool}",
            "Remove a pool of which nothing is taken.",
            "2 --yes",
            (POOL_ID,),
            warning="Remove pool {pool}?",
        ),
        Verb(
            "reserve",
            "POST",
            "/pools/{pool}/reserved",
            "Give values of a pool to no more networks; who has one keeps it.",
            "2 prv7 prv8",
            (
                POOL_ID,
                Param("values", "some of what it holds", many=True, required=True,
                      metavar="VALUE..."),
            ),
        ),
        Verb(
            "release",
            "DELETE",
            "/pools/{pool}/reserved/{value}",
            "Give a value of a pool out again.",
            "2 prv7",
            (POOL_ID, Param("value", "one of those that it holds")),
        ),
    ),
)  # fmt: skip
