"""Servers on the pocket cluster, for the measurements that need some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.rig import Cloud, NotComparable, eventually
from tests.functional.daemon import Client

COMPUTE = "/os/compute/v2.1"
POCKET = {"SNFD_POCKET_HYPERVISOR": "fake", "SNFD_POCKET_MEMORY": "1000000"}
"""Settings of a daemon whose cluster has room for many."""


def listed(client: Client) -> list[dict[str, Any]]:
    """The project's servers in full."""
    got = client.get(f"{COMPUTE}/servers/detail")
    if got.status != 200:
        raise NotComparable(f"no list: {got.status} {got.body!r}")
    found: list[dict[str, Any]] = got.json["servers"]
    return found


def template(client: Client) -> Mapping[str, str]:
    """What the smallest server is made of."""
    images = client.get("/os/image/v2/images").json["images"]
    flavors = client.get(f"{COMPUTE}/flavors/detail").json["flavors"]
    smallest = min(flavors, key=lambda one: (one["ram"], one["disk"]))
    return {"imageRef": images[0]["id"], "flavorRef": smallest["id"]}


def create(client: Client, made_of: Mapping[str, str], name: str) -> str:
    """Ask for a server; its id."""
    body = {"server": {"name": name, **made_of}}
    got = client.post(f"{COMPUTE}/servers", body)
    if got.status != 202:
        raise NotComparable(f"no server: {got.status} {got.body!r}")
    ident: str = got.json["server"]["id"]
    return ident


def populate(ours: Cloud, client: Client, count: int) -> None:
    """Have ``count`` servers that all run."""
    made_of = template(client)
    for number in range(len(listed(client)), count):
        create(client, made_of, f"bench-{number}")
    eventually(
        lambda: all(one["status"] == "ACTIVE" for one in listed(client)),
        120,
        "all servers run",
    )
