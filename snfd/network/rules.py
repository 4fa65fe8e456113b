"""What an operator says about networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from snfd.network.model import Kind

if TYPE_CHECKING:
    from snfd.config import NetworkSection


@frozen
class Rules:
    """What the operator allows, and how networks are built.

    :ivar enabled: kinds that users may make, the first by default.
    :ivar bridge: the nodes' bridge of networks of kind CUSTOM.
    :ivar filtered_bridge: that of MAC-filtered ones.
    :ivar mac_prefix: of all that take none from a pool.
    :ivar largest: shortest prefix length of users' IPv4 subnets.
    :ivar quarantine: seconds, of new public subnets.
    """

    enabled: tuple[Kind, ...] = (Kind.MAC_FILTERED,)
    bridge: str = "br0"
    filtered_bridge: str = "prv0"
    mac_prefix: str = "aa:00:0"
    largest: int = 22
    quarantine: int = 60

    @classmethod
    def of(cls, section: NetworkSection) -> Rules:
        """What the configuration says."""
        return cls(
            tuple(Kind(name) for name in section.enabled_flavors),
            section.bridge,
            section.mac_filtered_bridge,
            section.mac_prefix,
            section.largest,
            section.quarantine,
        )


RULES = Rules()
"""What holds where the operator says nothing."""
