"""Login by headers of the server in front of us (Shibboleth's SP, others')."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from attrs import frozen
from twisted.logger import Logger

from snfd.errors import Invalid, Unauthorized
from snfd.logins.model import MAX_IDENTIFIER, Claims, Method
from snfd.logins.settings import Field, LoginTable

ATTRIBUTES: Mapping[Field, str] = {
    "email": "SHIB-MAIL",
    "first_name": "SHIB-INETORGPERSON-GIVENNAME",
    "last_name": "SHIB-PERSON-SURNAME",
    "affiliation": "SHIB-EP-UNSCOPEDAFFILIATION",
}


class HeaderTable(LoginTable, frozen=True, kw_only=True):
    """A ``[[login]]`` table of the kind ``shibboleth``.

    The proxy must set, or remove, each of these headers on every request.

    :ivar header: names the person.
    :ivar require_name: whether an answer without both names is refused.
    :ivar switch: by default an identity provider's name is for ever.
    """

    header: str = "REMOTE_USER"
    require_name: bool = False
    switch: bool = False


@frozen(eq=False)
class TrustedHeaders:
    """Believes what a trusted proxy's headers say; see `Headers`."""

    method: Method
    header: str
    attributes: Mapping[Field, str]
    require_name: bool
    trusted: Sequence[IPv4Network | IPv6Network]
    _log = Logger()

    @classmethod
    def of(cls, table: HeaderTable, trusted: Sequence[str]) -> TrustedHeaders:
        """The method of ``table``, for proxies at these addresses.

        :raises Invalid: no proxy is trusted, or one is no address.
        """
        if not trusted:
            raise Invalid(
                f"login {table.method.name} believes the headers of proxies in"
                " identity.trusted_proxies, and there are none"
            )
        try:
            networks = [ip_network(one, strict=False) for one in trusted]
        except ValueError as error:
            raise Invalid(f"identity.trusted_proxies: {error}") from None
        attributes = {**ATTRIBUTES, **table.attributes}
        return cls(table.method, table.header, attributes, table.require_name, networks)

    def read(self, header: Callable[[str], Sequence[str]], peer: str) -> Claims:
        """See `Headers.read`."""
        if not self._trusts(peer):
            if header(self.header):
                self._log.warn(
                    "headers of a login by {method} from {peer}, who is not trusted,"
                    " were ignored",
                    method=self.method.name,
                    peer=peer,
                )
            raise Unauthorized(f"{self.method.title} logs in through another address")
        # two values: the proxy did not take away what the client sent
        names = header(self.header)
        if len(names) != 1 or not 0 < len(names[0]) <= MAX_IDENTIFIER:
            raise Unauthorized(f"{self.method.title} did not say who you are")
        fields: dict[str, str] = {
            name: values[0]
            for name, word in self.attributes.items()
            if len(values := header(word)) == 1
        }
        if self.require_name and not {"first_name", "last_name"} <= fields.keys():
            raise Unauthorized(f"{self.method.title} did not say your name")
        return Claims(names[0], fields, verified="email" in fields)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in one for one in self.trusted)
