"""Accepting a new server: one transaction, after which it will be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from attrs import field, frozen

from snfd import outbox
from snfd.compute import handoff
from snfd.compute.allocation import Allocator
from snfd.compute.model import File, Flavor, ImageFacts, NewServer, NewVolume
from snfd.compute.placement import (
    NO_HINTS,
    ClusterFacts,
    Hints,
    Want,
    ganeti_template,
)
from snfd.compute.states import Footprint, State, Task, usage
from snfd.compute.store import rows, secrets, tags
from snfd.db.port import Jsonb, Transaction
from snfd.ganeti import names, requests
from snfd.identity.model import Caller
from snfd.network import firewall, plugging, standard
from snfd.network.addressing import Owner
from snfd.network.model import Cluster, Nic
from snfd.network.scope import Scope
from snfd.probe import BEFORE_COMMIT, Probe
from snfd.quota import service as quota
from snfd.sealed import LOGIN_PASSWORD, Sealer


@frozen(eq=False)
class Tools:
    """What accepting needs besides the request; all of it replaceable.

    :ivar draw: a random integer below its argument.
    """

    sealer: Sealer
    new_id: Callable[[], UUID]
    draw: Callable[[int], int]
    probe: Probe
    allocator: Allocator = field(factory=Allocator)


@frozen
class Wanted:
    """A new server with everything checked that needs no transaction.

    :ivar keys: contents of the public keys that it shall accept.
    :ivar hints: clusters that are better or worse for it.
    """

    spec: NewServer
    flavor: Flavor
    image: ImageFacts
    volumes: Sequence[NewVolume]
    project: UUID
    shared: bool
    password: str
    keys: tuple[str, ...]
    request_id: str | None
    hints: Hints = NO_HINTS

    @property
    def footprint(self) -> Footprint:
        """What the server will take of the project's quota."""
        disk = sum(one.size or 0 for one in self.volumes)
        return Footprint(self.flavor.cpu, self.flavor.ram, disk)


async def accept_server(
    tx: Transaction,
    caller: Caller,
    scope: Scope,
    wanted: Wanted,
    tools: Tools,
    now: datetime,
) -> int:
    """Record a wanted server, its parts, its quota and the job to submit.

    Once the transaction commits the job *will* be submitted, even if the
    caller has hung up meanwhile.

    :param now: time of the request.
    :returns: id of the server.
    :raises Unavailable: no cluster can take it.
    :raises NotFound: a network or port that the caller does not see.
    :raises Conflict: an address or port is taken, or none is left.
    :raises OverQuota: the project has no room; nothing was recorded.
    """
    cluster = await _place(tx, caller, wanted, tools)
    intent = tools.new_id()
    server = await _insert(tx, caller, wanted, cluster, intent)
    await tags.put(tx, server, wanted.spec.tags, tags.ADDED, intent)
    how = plugging.Plugging(
        scope,
        Owner(caller.user, wanted.project, wanted.shared),
        server,
        Cluster(cluster.id, cluster.idx, cluster.groups),
        tools.draw,
        tools.new_id,
    )
    nics = await standard.cards(tx, wanted.spec.nics)
    plugged = await plugging.plug(tx, how, nics)
    disks = await _disks(tx, caller, wanted, cluster, server, tools)
    await _secrets(tx, server, wanted, tools, now)
    request = _request(server, wanted, cluster, plugged.nics, disks)
    subject = names.server_subject(server)
    await outbox.put(
        tx,
        requests.intent(
            intent, cluster.id, subject, request,
            depends=plugged.after, actor=caller.user, request_id=wanted.request_id,
        ),
    )  # fmt: skip
    amounts = usage(State.BUILD, wanted.footprint)
    await quota.charge(tx, caller.user, wanted.project, amounts)
    tools.probe(BEFORE_COMMIT)
    return server


async def _place(
    tx: Transaction, caller: Caller, wanted: Wanted, tools: Tools
) -> ClusterFacts:
    template, _ = ganeti_template(wanted.flavor.template)
    size = wanted.footprint
    want = Want(size.ram, size.disk << 10, template, hints=wanted.hints)
    return await tools.allocator.place(tx, caller.user, wanted.project, want)


async def _insert(
    tx: Transaction, caller: Caller, wanted: Wanted, cluster: ClusterFacts, intent: UUID
) -> int:
    return await rows.insert(
        tx,
        {
            "name": wanted.spec.name,
            "owner": caller.user,
            "project": wanted.project,
            "shared": wanted.shared,
            "cluster": cluster.id,
            "flavor": wanted.flavor.id,
            "image": wanted.image.id,
            "os": wanted.image.os or None,
            "key_names": list(wanted.spec.key_names),
            "metadata": Jsonb(dict(wanted.spec.metadata)),
            "task": Task.BUILD.value,
            "task_intent": intent,
        },
    )


async def _disks(
    tx: Transaction,
    caller: Caller,
    wanted: Wanted,
    cluster: ClusterFacts,
    server: int,
    tools: Tools,
) -> list[requests.NewDisk]:
    numbers = await rows.insert_volumes(
        tx,
        server,
        wanted.volumes,
        [tools.new_id() for _ in wanted.volumes],
        {
            "owner": caller.user,
            "project": wanted.project,
            "shared": wanted.shared,
            "volume_type": wanted.flavor.volume_type,
            "cluster": cluster.id,
        },
    )
    _, provider = ganeti_template(wanted.flavor.template)
    params = {} if provider is None else {"provider": provider}
    return [
        requests.NewDisk(number, (one.size or 0) << 10, params)
        for number, one in zip(numbers, wanted.volumes, strict=True)
    ]


async def _secrets(
    tx: Transaction, server: int, wanted: Wanted, tools: Tools, now: datetime
) -> None:
    told = parameters(wanted)
    await handoff.prepare(tx, tools.sealer, server, told, now, image=True)
    password = wanted.password.encode()
    sealed = tools.sealer.seal(password, *LOGIN_PASSWORD.at(server))
    await secrets.keep_password(tx, server, sealed)


def parameters(wanted: Wanted) -> Mapping[str, str]:
    """What the customisation of a new server needs to know."""
    return document(
        wanted.password,
        wanted.image.properties,
        wanted.spec.files,
        wanted.keys,
        wanted.spec.user_data,
    )


def document(
    password: str,
    properties: Mapping[str, str],
    files: Sequence[File] = (),
    keys: Sequence[str] = (),
    user_data: str | None = None,
) -> Mapping[str, str]:
    """What an image's customisation needs to know; every value is a text.

    The image's own location is added when the cluster fetches the document.

    :param properties: of the image.
    :param keys: contents of public keys.
    """
    upper = {key.upper(): value for key, value in properties.items()}
    given = {
        "img_passwd": password,
        "img_properties": msgspec.json.encode(upper).decode(),
        "img_personality": msgspec.json.encode([_file(one) for one in files]).decode(),
    }
    if keys:
        given["auth_keys"] = "\n".join(key.strip() for key in keys)
    if user_data:
        given["cloud_userdata"] = user_data
    return given


def _file(one: File) -> Mapping[str, object]:
    more = {"owner": one.owner, "group": one.group, "mode": one.mode}
    return {
        "path": one.path,
        "contents": one.contents,
        **{key: value for key, value in more.items() if value is not None},
    }


def _request(
    server: int,
    wanted: Wanted,
    cluster: ClusterFacts,
    nics: Sequence[Nic],
    disks: Sequence[requests.NewDisk],
) -> requests.Request:
    template, _ = ganeti_template(wanted.flavor.template)
    return requests.create(
        requests.NewInstance(
            server,
            cluster.hypervisor,
            cluster.os_name,
            template,
            wanted.flavor.cpu,
            wanted.flavor.ram,
            disks,
            [requests.NewNic(one.port, one.network, one.ip, one.mac) for one in nics],
            tags=[
                *(names.user_tag(tag) for tag in wanted.spec.tags),
                *(tag for one in nics for tag in firewall.tags(one.port, one.firewall)),
            ],
        )
    )
