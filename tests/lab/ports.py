"""Ports and addresses that no two test processes of a machine choose at once.

A port that the kernel picks may be given to a client's end of a connection
before the server that it was meant for listens.  Ours lie below those that the
kernel picks from, and each is claimed for the life of this process by an
abstract socket's name, which is as wide as the ports are: a network namespace.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

PORTS = range(31000, 32768)
"""Above the pocket's screens, below Linux' ip_local_port_range."""

_claims: dict[str, socket.socket] = {}


def claim(name: str) -> bool:
    """Whether the name is this process's alone, from now until it ends."""
    held = socket.socket(socket.AF_UNIX)
    try:
        held.bind(f"\0snfd-test-{name}")
    except OSError:
        held.close()
        return False
    _claims[name] = held
    return True


def free(addresses: Iterable[tuple[str, int]]) -> bool:
    """Whether a server could listen on all of these addresses at the moment."""
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
                probe.listen(1)
            except OSError:
                return False
    return True


def free_port(count: int = 1) -> int:
    """The first of so many neighbouring ports that this process alone may use.

    :raises AssertionError: there is none left.
    """
    for port in PORTS[: len(PORTS) - count + 1]:
        block = range(port, port + count)
        if any(f"port-{one}" in _claims for one in block):
            continue
        if not free(("127.0.0.1", one) for one in block):
            continue
        if all(claim(f"port-{one}") for one in block):
            return port
    raise AssertionError(f"no free port in {PORTS}")
