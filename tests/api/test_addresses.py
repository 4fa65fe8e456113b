"""Where requests come from, through proxies that are trusted and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from api.addresses import Peers
from snfd.errors import Invalid


def request(host: str | None, *forwarded: str) -> Any:
    """A request from ``host``, None for a unix socket."""
    made = DummyRequest([b""])
    if host is None:
        made.client = UNIXAddress(b"/socket")
    else:
        kind = IPv6Address if ":" in host else IPv4Address
        made.client = kind("TCP", host, 1)
    if forwarded:
        made.requestHeaders.setRawHeaders("x-forwarded-for", list(forwarded))
    return made


class PeersTests(SynchronousTestCase):
    def address(self, trusted: Sequence[str], host: str | None, *fwd: str) -> str:
        return Peers.of(trusted).address(request(host, *fwd))

    def test_it_is_the_other_end_of_the_connection(self) -> None:
        self.assertEqual("10.0.0.1", self.address([], "10.0.0.1"))
        self.assertEqual("2001:db8::1", self.address([], "2001:db8::1"))
        self.assertEqual("10.0.0.1", self.address([], "::ffff:10.0.0.1"))
        self.assertEqual("", self.address([], None))

    def test_strangers_cannot_say_that_they_are_somebody_else(self) -> None:
        self.assertEqual("10.0.0.1", self.address([], "10.0.0.1", "1.2.3.4"))
        found = self.address(["10.0.0.2"], "10.0.0.1", "1.2.3.4")
        self.assertEqual("10.0.0.1", found)

    def test_a_proxy_that_is_trusted_says_who_asks(self) -> None:
        one = ["10.0.0.0/24"]
        self.assertEqual("1.2.3.4", self.address(one, "10.0.0.1", "1.2.3.4"))
        self.assertEqual("10.0.0.1", self.address(one, "10.0.0.1"))

    def test_what_a_client_writes_before_his_proxy_does_is_not_believed(self) -> None:
        one = ["10.0.0.0/24"]
        for forwarded in (["9.9.9.9, 1.2.3.4"], ["9.9.9.9", "1.2.3.4"]):
            self.assertEqual("1.2.3.4", self.address(one, "10.0.0.1", *forwarded))
        chain = "9.9.9.9, 1.2.3.4, 10.0.0.7"
        self.assertEqual("1.2.3.4", self.address(one, "10.0.0.1", chain))

    def test_nonsense_ends_at_the_last_proxy(self) -> None:
        one = ["10.0.0.0/24"]
        for forwarded in ("unknown", "", ",", "1.2.3.4, spam"):
            self.assertEqual("10.0.0.1", self.address(one, "10.0.0.1", forwarded))

    def test_only_trusted_proxies_vouch(self) -> None:
        peers = Peers.of(["10.0.0.1"])
        self.assertTrue(peers.vouches(request("10.0.0.1")))
        self.assertFalse(peers.vouches(request("10.0.0.2", "10.0.0.1")))
        self.assertFalse(peers.vouches(request(None)))

    def test_a_proxy_that_is_no_address_is_refused(self) -> None:
        self.assertRaises(Invalid, Peers.of, ["proxy.example.org"])
