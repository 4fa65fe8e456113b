"""What our things are called in Ganeti: as Synnefo calls them."""

from __future__ import annotations

import re
from urllib.parse import quote_plus
from uuid import UUID

_INSTANCE = re.compile(r"snf-([1-9][0-9]{0,17})\Z")
_NETWORK = re.compile(r"snf-net-([1-9][0-9]{0,17})\Z")
_SUBJECT = re.compile(r"(server|network):([0-9]+)\Z")


ORPHAN = "orphan"
"""How subjects begin that stand for what a cluster has and nobody knows."""


def instance(server: int) -> str:
    """Name of a server's instance."""
    return f"snf-{server}"


def network(ident: int) -> str:
    """Name of a network."""
    return f"snf-net-{ident}"


def nic(port: int) -> str:
    """Name of a port's network card."""
    return f"snf-nic-{port}"


def volume(ident: int) -> str:
    """Name of a volume's disk."""
    return f"snf-vol-{ident}"


def reason(intent: UUID) -> str:
    """What the reason trail of an intent's job says."""
    return f"snfd:{intent}"


def tag(intent: UUID) -> str:
    """The tag of what the intent created; tells it from a namesake."""
    return f"snfd:{intent}"


def user_tag(text: str) -> str:
    """How an instance carries a tag of its owner's, in Ganeti's alphabet.

    As in ``spec/cyclades.md`` §3.8, and ``~`` is quoted: Ganeti does not take it.
    """
    quoted = quote_plus(text, safe=":").replace("~", "%7E")
    return "cyclades:user:" + quoted.replace("%", "/").replace("_", "*")


def server_subject(server: int) -> str:
    """How intents and outcomes call a server."""
    return f"server:{server}"


def network_subject(ident: int) -> str:
    """How intents and outcomes call a network."""
    return f"network:{ident}"


def subject_of_instance(name: str) -> str | None:
    """The server that the instance ``name`` is; None if it is not ours."""
    found = _INSTANCE.match(name)
    return server_subject(int(found[1])) if found else None


def subject_of_network(name: str) -> str | None:
    """The network that Ganeti calls ``name``; None if it is not ours."""
    found = _NETWORK.match(name)
    return network_subject(int(found[1])) if found else None


def name_of_subject(subject: str) -> str:
    """Ganeti's name of a subject; the inverse of the two above.

    :raises ValueError: no such kind of subject.
    """
    found = _SUBJECT.match(subject)
    if not found:
        raise ValueError(f"{subject!r} names neither a server nor a network")
    make = instance if found[1] == "server" else network
    return make(int(found[2]))
