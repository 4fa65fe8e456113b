"""Networks of one user, and shorthands to make them."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from snfd.network.model import Network, NewNetwork, NewPort, NewSubnet, NicRequest
from snfd.network.scope import Scope
from tests.compute.kit import compute_cloud


class NetworkCase(SynchronousTestCase):
    """The user demo's networks."""

    def setUp(self) -> None:
        self.cloud = compute_cloud(self)
        self.caller = self.cloud.caller()
        self.scope = Scope.project(self.caller)
        self.services = self.cloud.networks

    def network(self, cidr: str | None = "10.77.0.0/24", **more: Any) -> Network:
        new = NewNetwork("net", **more)
        made: Network = self.cloud.wait(
            self.services.networks.create(self.caller, self.scope, new)
        )
        if cidr is not None:
            self.subnet(made.id, cidr)
        return made

    def subnet(self, network: int, cidr: str, **more: Any) -> int:
        version = 6 if ":" in cidr else 4
        new = NewSubnet(network, cidr, version=version, **more)
        made = self.cloud.wait(
            self.services.subnets.create(self.caller, self.scope, new)
        )
        return int(made.id)

    def port(self, network: int, fixed: str | None = None) -> int:
        request = NicRequest(network, fixed_ip=fixed)
        new = NewPort(network, fixed_ip=fixed)
        made = self.cloud.wait(
            self.services.ports.create(self.caller, self.scope, new, request)
        )
        return int(made.id)

    def address(self, port: int) -> str:
        found = self.cloud.wait(self.services.ports.show(self.scope, port))
        return str(found.addresses[0].addr)

    def free(self, port: int) -> None:
        self.cloud.wait(self.services.ports.delete(self.caller, self.scope, port))

    def server(self, *nics: NicRequest, **more: Any) -> Any:
        return self.cloud.create(nics=list(nics), **more)

    def run_(self, work: Any, *args: Any) -> Any:
        return self.cloud.wait(self.cloud.people.db.run(work, *args))

    def told(self, kind: str) -> list[Any]:
        waiting = self.cloud.intents()
        return [one.intent.request for one in waiting if one.intent.kind == kind]

    @property
    def public(self) -> int:
        found = self.cloud.people.sql("SELECT id FROM compute.network WHERE public")
        return int(str(found[0][0]))


def slaac(prefix: str, mac: str) -> str:
    """The address that a host gives itself below a /64."""
    octets = [int(part, 16) for part in mac.split(":")]
    octets[0] ^= 2
    halves = [*octets[:3], 0xFF, 0xFE, *octets[3:]]
    words = [f"{a << 8 | b:x}" for a, b in zip(halves[::2], halves[1::2], strict=True)]
    return prefix + ":".join(words)
