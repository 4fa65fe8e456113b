"""Networks, subnets, and pools of what networks must have for themselves."""

from __future__ import annotations

from snfd.admin.ctl.verbs import COUNT, Noun, Param, Verb, choice, flag, yes_no

WHICH = Param("network", "its number", COUNT)
BACKEND = Param("backend", "a cluster's name or number")
KINDS = ("CUSTOM", "IP_LESS_ROUTED", "MAC_FILTERED", "PHYSICAL_VLAN")
DNS = Param("dns", "A name server of guests. Repeatable.", many=True, metavar="IP")
RANGE = Param(
    "pool",
    "Addresses that guests get, else all. Repeatable.",
    many=True,
    metavar="FIRST-LAST",
)
ROUTE = Param(
    "route", "A route of guests. Repeatable.", many=True, metavar="CIDR@NEXTHOP"
)
MTU = Param("mtu", "Largest packet, in bytes.", COUNT)
SUBNET_COLUMNS = (
    *("id", "network", "cidr", "gateway", "dhcp"),
    *("addresses", "used", "reserved"),
)

NETWORK = Noun(
    "network",
    "Networks, public and private.",
    (
        Verb(
            "list",
            "GET",
            "/networks",
            "List networks by number.",
            "--public yes",
            options=(
                yes_no("public", "Only public, or private, ones."),
                choice("kind", "Only those of this kind.", *KINDS),
                yes_no("drained", "Only those that do not, or do, take new ports."),
                Param("user", "Only those of this user."),
                Param("project", "Only those of this project."),
                Param("name", "Only those of this name."),
                Param("backend", "Only those that this cluster has."),
                flag("deleted", "Only those that are gone."),
            ),
            columns=(
                *("id", "name", "kind", "state", "public", "owner", "project"),
                *("cidr", "cidr6", "addresses_free", "ports", "backends"),
            ),
        ),
        Verb(
            "show",
            "GET",
            "/networks/{network}",
            "Show a network, its subnets, and the clusters that have it.",
            "5",
            (WHICH,),
            parts={
                "subnets": SUBNET_COLUMNS,
                "backends": ("backend", "state", "mac_prefix", "ports"),
            },
        ),
        Verb(
            "create",
            "POST",
            "/networks",
            "Make a network of any kind; all clusters that are online make it now.\n\n"
            "A public one takes ports once each of them has told which addresses it"
            " has for itself.",
            "internet --public --floating-ip-pool --subnet 198.51.100.0/24"
            " --link br100",
            (Param("name", "what it is called"),),
            (
                choice("kind", "How it is built; CUSTOM if nothing is said.", *KINDS),
                flag("public", "Any server may join."),
                Param("owner", "Whose it is, if it is not public."),
                Param("project", "Which project pays for it."),
                flag("shared", "All members of the project may use it."),
                flag("floating_ip_pool", "Users take floating IPs from it."),
                choice("mode", "What nodes do.", "bridged", "routed", "openvswitch"),
                Param("link", "The nodes' bridge, or routing table."),
                Param("mac_prefix", "Of its cards.", metavar="aa:00:0"),
                MTU,
                Param("tag", "For hooks on nodes. Repeatable.", many=True),
                flag("lazy", "Clusters make it with their first server only."),
                Param("subnet", "Its range of IPv4.", metavar="CIDR"),
                Param("gateway", "Else the first address.", metavar="IP|none"),
                RANGE,
                flag("no_dhcp", "Guests get no addresses by DHCP."),
                DNS,
                Param("subnet6", "Its range of IPv6, a /64.", metavar="CIDR"),
                Param("gateway6", "Else the first address.", metavar="IP|none"),
            ),
        ),
        Verb(
            "modify",
            "PATCH",
            "/networks/{network}",
            "Change a network.\n\nA drained one takes no new ports.",
            "5 --drained yes",
            (WHICH,),
            (
                Param("name", "What it is called."),
                yes_no("drained", "Whether no new ports may join."),
                yes_no("floating_ip_pool", "Whether floating IPs come from it."),
                MTU,
            ),
        ),
        Verb(
            "remove",
            "DELETE",
            "/networks/{network}",
            "Remove a network that nothing uses, with its subnets, from everywhere.",
            "5 --yes",
            (WHICH,),
            warning="Remove network {network}?",
        ),
        Verb(
            "add-to-backend",
            "POST",
            "/networks/{network}/backends",
            "Have a cluster make a network now.",
            "5 athens",
            (WHICH, BACKEND),
        ),
        Verb(
            "remove-from-backend",
            "DELETE",
            "/networks/{network}/backends/{backend}",
            "Have a cluster forget a network, which no server there uses.\n\n"
            "It comes back with the first server that joins; new clusters do not make"
            " it by themselves any more.",
            "5 athens --yes",
            (WHICH, BACKEND),
            warning="Have {backend} forget network {network}?",
        ),
        Verb(
            "unasked",
            "GET",
            "/server-networks",
            "Show which cards servers get unasked.",
            "",
        ),
        Verb(
            "set-unasked",
            "PUT",
            "/server-networks",
            "Say which cards servers get unasked; what is not said is no more.\n\n"
            "Each is a list of choices, by commas, of which the first with room is"
            " taken: numbers of networks, or SNF:ANY_PUBLIC, SNF:ANY_PUBLIC_IPV4,"
            " SNF:ANY_PUBLIC_IPV6. Without default cards a server whose user asks for"
            " none has one on a public network, where there is one.",
            "--forced SNF:ANY_PUBLIC_IPV6 --default 5,SNF:ANY_PUBLIC_IPV4",
            options=(
                Param(
                    "forced",
                    "A card that every server gets. Repeatable.",
                    many=True,
                    metavar="CHOICES",
                ),
                Param(
                    "default",
                    "A card where the user asks for none. Repeatable.",
                    many=True,
                    metavar="CHOICES",
                ),
            ),
        ),
    ),
)
