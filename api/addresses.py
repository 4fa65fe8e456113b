"""Where a request comes from, seen through the proxies that we trust."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from ipaddress import ip_address as parsed

from attrs import frozen
from twisted.web.iweb import IRequest

from snfd.errors import Invalid

Address = IPv4Address | IPv6Address

MAX_HOPS = 16
"""How many proxies in a row are believed."""


@frozen
class Peers:
    """Tells the addresses of clients.

    :ivar trusted: proxies, by address or network; what others say of forwarding
        is not believed.
    """

    trusted: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, trusted: Sequence[str]) -> Peers:
        """The same, configured.

        :raises Invalid: something is neither an address nor a network.
        """
        try:
            return cls(tuple(ip_network(one, strict=False) for one in trusted))
        except ValueError as error:
            raise Invalid(f"identity.trusted_proxies: {error}") from None

    def vouches(self, request: IRequest) -> bool:
        """Whether the request comes from a proxy that we trust."""
        peer = _peer(request)
        return peer is not None and self._trusts(peer)

    def address(self, request: IRequest) -> str:
        """The address of the client; an empty string where it has none.

        That is the connection's other end or, as long as that is a proxy that
        we trust, what it says in ``X-Forwarded-For``, from right to left.
        """
        found = _peer(request)
        hops = _forwarded(request)
        while hops and found is not None and self._trusts(found):
            before = _address(hops.pop())
            if before is None:
                break
            found = before
        return "" if found is None else str(found)

    def _trusts(self, address: Address) -> bool:
        return any(address in one for one in self.trusted)


DIRECT = Peers()
"""Where clients come to us without a proxy between."""


def _peer(request: IRequest) -> Address | None:
    host = getattr(request.getClientAddress(), "host", None)
    return _address(host) if isinstance(host, str) else None


def _forwarded(request: IRequest) -> list[str]:
    lines = request.requestHeaders.getRawHeaders("x-forwarded-for") or []
    return ",".join(lines).split(",")[-MAX_HOPS:] if lines else []


def _address(text: str) -> Address | None:
    """``text`` as an address; IPv4 in IPv6's clothes is IPv4."""
    try:
        found = parsed(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
