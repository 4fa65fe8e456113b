"""The configuration: instances and networks by name, kept in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from attrs import define, field

from pocket.errors import unknown_instance, unknown_network
from pocket.model import Instance, Network
from pocket.store import Store

Now = Callable[[], float]


@define(eq=False)
class Instances:
    """All instances, and which MACs, addresses and ports they have."""

    store: Store
    now: Now
    macs: Counter[str] = field(init=False, factory=Counter)
    ports: Counter[int] = field(init=False, factory=Counter)
    _all: dict[str, Instance] = field(init=False, factory=dict)
    _addresses: dict[str, Counter[str]] = field(init=False, factory=dict)

    def load(self) -> None:
        """Read what an earlier process left."""
        for _, body in self.store.load("instance"):
            self._enter(msgspec.convert(body, Instance))

    def __iter__(self) -> Iterator[Instance]:
        return iter(list(self._all.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def get(self, name: str) -> Instance:
        """The instance of that name.

        :raises OpPrereqError: there is none.
        """
        found = self._all.get(name)
        if found is None:
            raise unknown_instance(name)
        return found

    def keep(self, instance: Instance, **changes: Any) -> Instance:
        """Save a new or changed instance and say what it is now."""
        old = self._all.get(instance.name)
        if old is not None:
            changes |= {"mtime": self.now(), "serial_no": old.serial_no + 1}
        new = msgspec.structs.replace(instance, **changes)
        self._leave(instance.name)
        self._enter(new)
        self.store.put("instance", new.name, new)
        return new

    def remove(self, name: str) -> None:
        """Forget an instance; what it had is free again."""
        self._leave(name)
        self.store.drop("instance", name)

    def reserve(self, instance: Instance, sign: int) -> None:
        """Take (1) or give back (-1) its MACs, addresses and port."""
        for nic in instance.nics:
            self.macs[nic.mac] += sign
            if nic.ip and nic.network:
                self._addresses.setdefault(nic.network, Counter())[nic.ip] += sign
        if instance.port:
            self.ports[instance.port] += sign

    def used(self, network: str) -> frozenset[str]:
        """The addresses of a network that NICs have."""
        return frozenset(+self._addresses.get(network, Counter()))

    def _enter(self, instance: Instance) -> None:
        self._all[instance.name] = instance
        self.reserve(instance, 1)

    def _leave(self, name: str) -> None:
        old = self._all.pop(name, None)
        if old is not None:
            self.reserve(old, -1)


@define(eq=False)
class Networks:
    """All networks."""

    store: Store
    now: Now
    _all: dict[str, Network] = field(init=False, factory=dict)

    def load(self) -> None:
        """Read what an earlier process left."""
        for name, body in self.store.load("network"):
            self._all[name] = msgspec.convert(body, Network)

    def __iter__(self) -> Iterator[Network]:
        return iter(list(self._all.values()))

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def get(self, name: str) -> Network:
        """The network of that name.

        :raises OpPrereqError: there is none.
        """
        found = self._all.get(name)
        if found is None:
            raise unknown_network(name)
        return found

    def keep(self, network: Network, **changes: Any) -> None:
        """Save a new or changed network."""
        if network.name in self._all:
            changes |= {"mtime": self.now(), "serial_no": network.serial_no + 1}
        new = msgspec.structs.replace(network, **changes)
        self._all[new.name] = new
        self.store.put("network", new.name, new)

    def remove(self, name: str) -> None:
        """Forget a network."""
        del self._all[name]
        self.store.drop("network", name)
