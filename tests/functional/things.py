"""One of everything in a running cloud, so that tests have ids to ask for."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from tests.functional.daemon import Client, Reply, eventually

COMPUTE = "/os/compute/v2.1"
NETWORK = "/os/network/v2.0"
IMAGE = "/os/image/v2"
CONTAINER, OBJECT, KEYPAIR = "things", "a/thing.txt", "thing"
KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"
    "AABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f thing"
)


@frozen
class Things:
    """What a user owns, by id; networks and images are private."""

    server: int
    image: str
    network: int
    subnet: int
    port: int
    flavor: str
    public_network: int

    def ids(self, client: Client) -> dict[str, str]:
        """Values for the segments of paths, by the names used in the documents."""
        return {
            "account": client.project,
            "container": CONTAINER,
            "domain": "default",
            "flavor": self.flavor,
            "image": self.image,
            "key": "color",
            "label": "private",
            "name": KEYPAIR,
            "network": str(self.network),
            "object": OBJECT,
            "port": str(self.port),
            "project": client.project,
            "role": "member",
            "server": str(self.server),
            "subnet": str(self.subnet),
            "user": client.user,
        }


def ok(reply: Reply, *statuses: int) -> Any:
    """The body of an answer that must have one of ``statuses``."""
    assert reply.status in (statuses or (200,)), (reply.status, reply.body)
    return reply.json if reply.body else None


def make(client: Client, name: str = "thing") -> Things:
    """Make one of everything for ``client``; its server is ACTIVE."""
    files = f"/v1/AUTH_{client.project}/{CONTAINER}"
    ok(client.put(files), 201, 202)
    ok(client.put(f"{files}/{OBJECT}", b"a thing of " + name.encode()), 201)
    ok(client.post(f"{COMPUTE}/os-keypairs", _key()), 200, 201, 409)
    network, subnet = a_network(client, name)
    flavor = flavors(client)[0]
    public = ok(client.get(f"{NETWORK}/networks?router:external=true"))["networks"]
    server = a_server(client, name, metadata={"color": "red"})
    ports = ok(client.get(f"{NETWORK}/ports?device_id={server}"))["ports"]
    return Things(
        server,
        an_image(client, name),
        network,
        subnet,
        int(ports[0]["id"]),
        flavor,
        int(public[0]["id"]) if public else 0,
    )


def flavors(client: Client) -> list[str]:
    """Ids of flavors, the smallest first."""
    found = ok(client.get(f"{COMPUTE}/flavors/detail"))["flavors"]
    return [one["id"] for one in sorted(found, key=lambda one: one["ram"])]


def demo_image(client: Client) -> str:
    """The image that every cloud has at the start."""
    images = ok(client.get(f"{IMAGE}/images?visibility=public"))["images"]
    found: str = images[0]["id"]
    return found


def a_server(client: Client, name: str, **more: Any) -> int:
    """A new server that runs."""
    wanted = {
        "name": name,
        "imageRef": demo_image(client),
        "flavorRef": flavors(client)[0],
        **more,
    }
    made = ok(client.post(f"{COMPUTE}/servers", {"server": wanted}), 202)
    ident = int(made["server"]["id"])

    def active() -> bool:
        shown = ok(client.get(f"{COMPUTE}/servers/{ident}"))["server"]
        assert shown["status"] != "ERROR", shown
        return bool(shown["status"] == "ACTIVE")

    eventually(active)
    return ident


def an_image(client: Client, name: str) -> str:
    """A new private image of a few bytes."""
    wanted = {
        "name": name,
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "private",
    }
    ident: str = ok(client.post(f"{IMAGE}/images", wanted), 201)["id"]
    headers = {"Content-Type": "application/octet-stream"}
    ok(
        client.put(f"{IMAGE}/images/{ident}/file", b"\0" * 4096, headers=headers),
        204,
    )
    return ident


def a_network(client: Client, name: str) -> tuple[int, int]:
    """A new private network with a subnet."""
    made = ok(client.post(f"{NETWORK}/networks", {"network": {"name": name}}), 201)
    network = made["network"]["id"]
    subnet = {"network_id": network, "cidr": "10.77.0.0/24", "ip_version": 4}
    got = ok(client.post(f"{NETWORK}/subnets", {"subnet": subnet}), 201)
    return int(network), int(got["subnet"]["id"])


def _key() -> dict[str, Any]:
    return {"keypair": {"name": KEYPAIR, "public_key": KEY}}
