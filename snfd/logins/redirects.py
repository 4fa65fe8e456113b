"""Where a login may send a browser afterwards; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from attrs import frozen

MAX_URL = 5000
"""The longest address that anybody is sent to, in characters."""

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
"""What browsers strip or take for something else: blanks, controls, ``\\``."""

_NEVER = frozenset({"javascript", "data", "vbscript", "blob", "file", "about"})


@frozen
class Redirects:
    """Tells whether an address is one of ours, or one that is configured.

    An address matches exactly, or by a configured prefix that ends in ``/`` or
    ``://``; never by a suffix. Nothing configured means: only our own.

    :ivar origin: scheme, host and port that browsers reach us by.
    :ivar allowed: exact URLs and prefixes beyond that.
    """

    origin: str
    allowed: Sequence[str] = ()

    def local(self, address: str) -> bool:
        """Whether ``address`` is a path of ours, or a URL of our own origin."""
        if not _sound(address):
            return False
        if address.startswith("/"):
            return not address.startswith("//")
        parts = urlsplit(address)
        mine = urlsplit(self.origin)
        return (parts.scheme, parts.netloc) == (mine.scheme, mine.netloc) != ("", "")

    def listed(self, address: str) -> bool:
        """Whether ``address`` is configured."""
        if not _sound(address) or urlsplit(address).scheme.lower() in _NEVER:
            return False
        return any(_matches(one, address) for one in self.allowed)

    def or_else(self, address: str | None, otherwise: str) -> str:
        """``address`` if it is ours or configured, else ``otherwise``."""
        fine = address and (self.local(address) or self.listed(address))
        return address if fine and address else otherwise


def with_query(address: str, **values: str) -> str:
    """``address`` with its query replaced by ``values``, and no fragment."""
    bare = address.partition("#")[0].partition("?")[0]
    return f"{bare}?{urlencode(values)}"


def plus_query(address: str, **values: str) -> str:
    """``address`` with ``values`` added to its query."""
    parts = urlsplit(address)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *values.items()]
    return urlunsplit((*parts[:3], urlencode(query), ""))


def without(address: str, *names: str) -> str:
    """``address`` without these parts of its query."""
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True)
    left = [(name, value) for name, value in query if name not in names]
    return urlunsplit((*parts[:3], urlencode(left), parts.fragment))


def safe(address: str) -> bool:
    """Whether nobody on the way to ``address`` reads what it is given.

    That is https; or http to the machine of the browser itself (RFC 8252, 7.3).
    Names in front of the host would hide it, and a fragment stays behind.
    """
    if not _sound(address):
        return False
    parts = urlsplit(address)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "#" in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _loopback(host))


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sound(address: str) -> bool:
    """Whether all browsers understand ``address`` as we do."""
    if not 0 < len(address) <= MAX_URL or _UNSAFE.search(address):
        return False
    try:
        urlsplit(address)
    except ValueError:
        return False
    return True


def _matches(wanted: str, address: str) -> bool:
    if not wanted.endswith("/"):
        return address == wanted
    if not address.startswith(wanted):
        return False
    # a prefix is no promise for what ``..`` leads out of
    path = address[len(wanted) :].partition("?")[0].partition("#")[0]
    return not {".", ".."}.intersection(unquote(path).split("/"))
