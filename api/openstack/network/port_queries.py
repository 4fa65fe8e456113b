"""How lists of ports and floating IPs are narrowed, sorted and cut."""

from __future__ import annotations

from collections.abc import Sequence

from api.openstack.network.queries import (
    Listed,
    named_number,
    named_project,
    possible,
)
from api.paging import flag, listed_ids, size
from snfd.network.model import Filter


class PortQuery(Listed, forbid_unknown_fields=True):
    """Query of ``GET /ports``."""

    network_id: str | None = None
    device_id: str | None = None
    device_owner: str | None = None
    mac_address: str | None = None
    fixed_ips: list[str] = []
    status: str | None = None
    admin_state_up: str | None = None

    def filter(self) -> Filter | None:
        """The filter, or None where nothing can match.

        :raises Invalid: a marker or truth value that is none.
        """
        up = flag(self.admin_state_up, "admin_state_up")
        sort, marker = self.sort(), self.after()
        subnet = _part(self.fixed_ips, "subnet_id")
        if self.description or up is False:
            return None
        if not possible(self.network_id, self.device_id, subnet):
            return None
        return Filter(
            ids=listed_ids(self.id),
            name=self.name,
            network=named_number(self.network_id),
            server=named_number(self.device_id),
            device=self.device_owner,
            mac=self.mac_address,
            address=_part(self.fixed_ips, "ip_address"),
            subnet=named_number(subnet),
            status=self.status,
            project=named_project(self.project_id, self.tenant_id),
            marker=marker,
            limit=size(self.limit),
            sort=sort,
        )


class FloatingIpQuery(Listed, forbid_unknown_fields=True):
    """Query of ``GET /floatingips``."""

    floating_network_id: str | None = None
    floating_ip_address: str | None = None
    fixed_ip_address: str | None = None
    port_id: str | None = None
    router_id: str | None = None
    status: str | None = None

    def filter(self) -> Filter | None:
        """The filter, or None where nothing can match.

        :raises Invalid: a marker that is none.
        """
        sort, marker = self.sort(), self.after()
        if self.name or self.description or self.router_id:
            return None
        if not possible(self.floating_network_id, self.port_id):
            return None
        return Filter(
            ids=listed_ids(self.id),
            network=named_number(self.floating_network_id),
            address=self.floating_ip_address,
            fixed=self.fixed_ip_address,
            port=named_number(self.port_id),
            status=self.status,
            project=named_project(self.project_id, self.tenant_id),
            marker=marker,
            limit=size(self.limit),
            sort=sort,
        )


def _part(given: Sequence[str], key: str) -> str | None:
    """The value of ``key=value`` among what is given."""
    for one in given:
        name, _, value = one.partition("=")
        if name == key:
            return value
    return None
