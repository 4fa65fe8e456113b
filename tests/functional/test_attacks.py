"""What somebody with a valid account tries: other people's things, mostly."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from attrs import frozen

from tests.functional import things
from tests.functional.daemon import PASSWORD, Client, Daemon, Reply, running
from tests.functional.things import COMPUTE, IMAGE, NETWORK, Things, ok

CYCLADES, QUANTUM = "/compute/v2.0", "/network/v2.0"
RAW = {"Content-Type": "application/octet-stream"}
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


@frozen
class Call:
    """A request that must be refused."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] | None = None

    def by(self, client: Client) -> Reply:
        """What the cloud says to ``client``."""
        body = b"" if self.body is None and self.method == "PUT" else self.body
        return client.request(self.method, self.path, body, headers=self.headers)


def on_server(server: int) -> Iterator[Call]:
    """Everything that changes a server, or opens it."""
    for base in (COMPUTE, CYCLADES):
        path = f"{base}/servers/{server}"
        yield Call("PUT", path, {"server": {"name": "taken"}})
        yield Call("POST", f"{path}/metadata", {"metadata": {"a": "b"}})
        yield Call("DELETE", f"{path}/metadata/color")
        yield Call("POST", f"{path}/action", {"reboot": {"type": "HARD"}})
    path = f"{COMPUTE}/servers/{server}"
    yield Call("POST", f"{path}/action", {"os-stop": None})
    yield Call("POST", f"{path}/action", {"os-getVNCConsole": {"type": "novnc"}})
    console = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    yield Call("POST", f"{path}/remote-consoles", console)
    yield Call("POST", f"{path}/os-interface", {"interfaceAttachment": {}})
    yield Call("DELETE", path)
    path = f"{CYCLADES}/servers/{server}"
    yield Call("POST", f"{path}/action", {"shutdown": {}})
    yield Call("POST", f"{path}/action", {"console": {"type": "vnc-ws"}})
    yield Call("GET", f"{path}/password")
    yield Call("DELETE", f"{path}/password")
    yield Call("DELETE", path)


def on_network(owned: Things) -> Iterator[Call]:
    """Everything that changes a network and what is on it."""
    for base in (NETWORK, QUANTUM):
        name = {"name": "taken"}
        yield Call("PUT", f"{base}/networks/{owned.network}", {"network": name})
        yield Call("PUT", f"{base}/subnets/{owned.subnet}", {"subnet": name})
        yield Call("PUT", f"{base}/ports/{owned.port}", {"port": name})
        port = {"port": {"network_id": str(owned.network)}}
        yield Call("POST", f"{base}/ports", port)
        yield Call("DELETE", f"{base}/networks/{owned.network}")
    yield Call("DELETE", f"{NETWORK}/subnets/{owned.subnet}")


def on_objects(account: str) -> Iterator[Call]:
    """Everything that changes an account of objects."""
    for base in (f"/v1/AUTH_{account}", f"/object-store/v1/{account}"):
        box = f"{base}/{things.CONTAINER}"
        held = f"{box}/{things.OBJECT}"
        yield Call("POST", base, None, {"X-Account-Meta-A": "b"})
        yield Call("PUT", f"{base}/new")
        yield Call("POST", box, None, {"X-Container-Meta-A": "b"})
        yield Call("PUT", f"{box}/new", b"x", RAW)
        yield Call("POST", held, None, {"X-Object-Meta-A": "b"})
        copy = {"Destination": f"/{things.CONTAINER}/copy"}
        copy["Destination-Account"] = base.rpartition("/")[2]
        yield Call("COPY", held, None, copy)
        yield Call("DELETE", held)
        yield Call("DELETE", box)
    box = f"/object-store/v1/{account}/{things.CONTAINER}"
    yield Call("POST", box, b"block", RAW)
    yield Call("PUT", f"{box}/new?hashmap", {"bytes": 0, "hashes": []})


def on_image(image: str) -> Iterator[Call]:
    """Everything that changes an image."""
    path = f"{IMAGE}/images/{image}"
    step = [{"op": "replace", "path": "/name", "value": "taken"}]
    yield Call("PATCH", path, step, PATCH)
    yield Call("PUT", f"{path}/tags/taken")
    yield Call("PUT", f"{path}/file", b"taken", RAW)
    yield Call("DELETE", path)


def new_things(project: str, image: str, flavor: str) -> Iterator[Call]:
    """Everything that makes something new in a project."""
    server = {"name": "new", "imageRef": image, "flavorRef": flavor}
    yield Call(
        "POST", f"{CYCLADES}/servers", {"server": {**server, "project": project}}
    )
    net = {"name": "new", "type": "MAC_FILTERED", "project": project}
    yield Call("POST", f"{QUANTUM}/networks", {"network": net})
    floating = {"floatingip": {"project": project}}
    yield Call("POST", f"{QUANTUM}/floatingips", floating)


def scoped(daemon: Daemon, name: str, project: str) -> Client:
    """``name``, with a token for the project of that uuid."""
    user = {"name": name, "domain": {"id": "default"}, "password": PASSWORD}
    identity = {"methods": ["password"], "password": {"user": user}}
    auth = {"identity": identity, "scope": {"project": {"id": project}}}
    got = Client(daemon.port).post("/identity/v3/auth/tokens", {"auth": auth})
    assert got.status == 201, got
    token = got.json["token"]
    secret = got.headers["x-subject-token"]
    return Client(daemon.port, secret, project, token["user"]["id"])


def of_person(project: str) -> Iterator[Call]:
    """What a program does not do in the name of its owner."""
    account = "/account/v1.0"
    yield Call("POST", f"{account}/tokens", {"label": "more"})
    yield Call("POST", f"{account}/password", {"old": PASSWORD, "new": "another"})
    yield Call("POST", f"{account}/account/close", {"password": PASSWORD})
    yield Call("POST", f"{account}/second_factor", {"password": PASSWORD})
    yield Call("POST", f"{account}/email", {"email": "a@b.c", "password": PASSWORD})
    join = {"action": "join", "project": project}
    yield Call("POST", f"{account}/projects/memberships", {"join": join, **join})
    yield Call("GET", f"/admin/v1/projects/{project}")


def of_program(daemon: Daemon, user: str) -> Client:
    """A program that ``demo`` made for his own project."""
    own = scoped(daemon, "demo", user)
    path = f"/identity/v3/users/{user}/application_credentials"
    made = own.post(path, {"application_credential": {"name": "ci"}})
    assert made.status == 201, made
    found = made.json["application_credential"]
    given = {"id": found["id"], "secret": found["secret"]}
    identity = {
        "methods": ["application_credential"], "application_credential": given,
    }  # fmt: skip
    stranger = Client(daemon.port)
    got = stranger.post("/identity/v3/auth/tokens", {"auth": {"identity": identity}})
    assert got.status == 201, got
    return Client(daemon.port, got.headers["x-subject-token"], user, user)


@pytest.mark.xdist_group("daemon")
@pytest.mark.rig("pocket")
class AttackTests(unittest.TestCase):
    """One daemon, whose user ``demo`` owns one of everything in project demo."""

    daemon: ClassVar[Daemon]
    demo: ClassVar[Client]
    owned: ClassVar[Things]

    @classmethod
    def setUpClass(cls) -> None:
        """Start it."""
        cls.daemon = cls.enterClassContext(running())
        cls.demo = cls.daemon.client()
        cls.owned = things.make(cls.demo)

    def tearDown(self) -> None:
        """Nothing in the log that nobody expected, and all is still there."""
        self.assertEqual([], list(self.daemon.complaints()))
        server = ok(self.demo.get(f"{COMPUTE}/servers/{self.owned.server}"))["server"]
        self.assertEqual(
            ("ACTIVE", "thing", {"color": "red"}),
            (server["status"], server["name"], server["metadata"]),
        )
        image = ok(self.demo.get(f"{IMAGE}/images/{self.owned.image}"))
        self.assertEqual(("thing", []), (image["name"], image["tags"]))
        network = ok(self.demo.get(f"{NETWORK}/networks/{self.owned.network}"))
        self.assertEqual("thing", network["network"]["name"])
        box = f"/v1/AUTH_{self.demo.project}/{things.CONTAINER}"
        self.assertEqual(b"a/thing.txt\n", self.demo.get(box).body)
        self.assertEqual(b"a thing of thing", self.demo.get(f"{box}/a/thing.txt").body)

    def everything(self) -> Iterator[Call]:
        """All that could be done to what ``demo`` owns."""
        yield from on_server(self.owned.server)
        yield from on_network(self.owned)
        yield from on_objects(self.demo.project)
        yield from on_image(self.owned.image)
        yield from new_things(
            self.demo.project, things.demo_image(self.demo), self.owned.flavor
        )

    def test_a_reader_changes_nothing_whatever_the_token(self) -> None:
        reader = self.daemon.client("reader")
        own = scoped(self.daemon, "reader", reader.user)
        for client in (reader, own):
            for call in self.everything():
                openstack = call.path.startswith("/os/") and client is own
                with self.subTest(call, own=client is own):
                    got = call.by(client)
                    expected = (403, 404) if openstack else (403,)
                    self.assertIn(got.status, expected, got)

    def test_a_stranger_changes_nothing(self) -> None:
        for name in ("alt", "altreader"):
            stranger = self.daemon.client(name)
            for call in self.everything():
                with self.subTest(call, name=name):
                    got = call.by(stranger)
                    self.assertIn(got.status, (400, 403, 404), got)
                    if "objects" not in call.path and "project" not in str(call.body):
                        self.assertNotEqual(400, got.status, got)

    def test_a_program_of_another_project_is_a_stranger(self) -> None:
        """Its owner's other projects, and their servers and keys, are not its own."""
        program = of_program(self.daemon, self.demo.user)
        for call in self.everything():
            with self.subTest(call):
                self.assertIn(call.by(program).status, (400, 403, 404))
        for path in self.sights():
            if self.demo.user not in path:
                with self.subTest(path):
                    self.assertIn(program.get(path).status, (403, 404))
        for path in (f"{CYCLADES}/servers", f"{CYCLADES}/os-keypairs"):
            self.assertNotIn(b'"thing', program.get(path).body)
        for call in of_person(self.demo.project):
            with self.subTest(call):
                self.assertIn(call.by(program).status, (400, 403, 404, 409))
        listed = ok(program.get("/identity/v3/auth/projects"))["projects"]
        self.assertEqual([self.demo.user], [one["id"] for one in listed])

    def test_a_stranger_sees_nothing(self) -> None:
        stranger = self.daemon.client("alt")
        for path in self.sights():
            with self.subTest(path):
                self.assertIn(stranger.get(path).status, (403, 404))
        self.finds_nothing(stranger)

    def sights(self) -> Iterator[str]:
        """Where what ``demo`` owns can be looked at."""
        owned = self.owned
        yield from (
            *(f"{base}/servers/{owned.server}" for base in (COMPUTE, CYCLADES)),
            f"{COMPUTE}/servers/{owned.server}/ips",
            f"{COMPUTE}/servers/{owned.server}/os-interface",
            f"{CYCLADES}/servers/{owned.server}/diagnostics",
            *(f"{base}/networks/{owned.network}" for base in (NETWORK, QUANTUM)),
            *(f"{base}/subnets/{owned.subnet}" for base in (NETWORK, QUANTUM)),
            *(f"{base}/ports/{owned.port}" for base in (NETWORK, QUANTUM)),
            f"{IMAGE}/images/{owned.image}",
            f"{IMAGE}/images/{owned.image}/file",
            f"{COMPUTE}/images/{owned.image}",
            f"{COMPUTE}/os-keypairs/{things.KEYPAIR}",
            f"/v1/AUTH_{self.demo.project}",
            f"/v1/AUTH_{self.demo.project}/{things.CONTAINER}/a/thing.txt",
            f"/object-store/v1/{self.demo.project}/{things.CONTAINER}",
            f"/object-store/v1/{self.demo.user}",
            f"/identity/v3/users/{self.demo.user}",
            f"/identity/v3/users/{self.demo.user}/projects",
            f"/identity/v3/projects/{self.demo.project}",
            f"{COMPUTE}/os-quota-sets/{self.demo.project}",
            f"{NETWORK}/quotas/{self.demo.project}",
        )

    def finds_nothing(self, stranger: Client) -> None:
        """Nothing of it is in any list."""
        owned = self.owned
        for path in (
            f"{COMPUTE}/servers?all_tenants=1",
            f"{COMPUTE}/servers/detail?project_id={self.demo.project}",
            f"{CYCLADES}/servers",
            f"{NETWORK}/ports?device_id={owned.server}",
            f"{NETWORK}/networks?name=thing",
            f"{IMAGE}/images?owner={self.demo.project}&visibility=private",
        ):
            with self.subTest(path):
                got = stranger.get(path)
                self.assertNotIn(b'"thing"', got.body)
                self.assertNotIn(self.demo.project.encode() + b'"', got.body)
