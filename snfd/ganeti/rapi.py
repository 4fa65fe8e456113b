"""A real Ganeti 3 cluster, through its remote API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import frozen

from snfd.ganeti import names, views
from snfd.ganeti.jobs import (
    JOB_FIELDS,
    STATUS_FIELDS,
    job_of,
    marked,
    status_of,
)
from snfd.ganeti.model import (
    Description,
    Instance,
    Job,
    JobStatus,
    Kind,
    Network,
    Sighting,
)
from snfd.ganeti.port import IDS_MAX, Away, Refused
from snfd.ganeti.renaming import RENAME
from snfd.ganeti.requests import Request
from snfd.ganeti.transport import Caller

ROUTES: Mapping[str, tuple[str, str]] = {
    Kind.CREATE: ("POST", "/2/instances"),
    Kind.REMOVE: ("DELETE", "/2/instances/{name}"),
    Kind.START: ("PUT", "/2/instances/{name}/startup"),
    Kind.STOP: ("PUT", "/2/instances/{name}/shutdown"),
    Kind.REBOOT: ("POST", "/2/instances/{name}/reboot"),
    Kind.MODIFY: ("PUT", "/2/instances/{name}/modify"),
    Kind.REINSTALL: ("POST", "/2/instances/{name}/reinstall"),
    RENAME: ("PUT", "/2/instances/{name}/rename"),
    Kind.ADD_TAGS: ("PUT", "/2/instances/{name}/tags"),
    Kind.REMOVE_TAGS: ("DELETE", "/2/instances/{name}/tags"),
    Kind.NETWORK_ADD: ("POST", "/2/networks"),
    Kind.NETWORK_CONNECT: ("PUT", "/2/networks/{name}/connect"),
    Kind.NETWORK_DISCONNECT: ("PUT", "/2/networks/{name}/disconnect"),
    Kind.NETWORK_MODIFY: ("PUT", "/2/networks/{name}/modify"),
    Kind.NETWORK_REMOVE: ("DELETE", "/2/networks/{name}"),
}
"""Method and path of each kind of request."""

DETAILS_MAX = 100
"""Most jobs in one query that asks for their opcodes and logs."""


def route(request: Request) -> tuple[str, str]:
    """Method and path of a request; tags are those of an instance or a network."""
    method, path = ROUTES[request.kind]
    if names.subject_of_network(request.name) is not None:
        path = path.replace("/2/instances/", "/2/networks/")
    return method, path


def _told(request: Request, reason: str) -> tuple[Any, dict[str, Any]]:
    """Body and query of a request.

    Beside a body RAPI takes no query to reinstall, hence no reason; the job is
    told by the URL that its OS definition fetches.

    :raises Refused: the job could not be told from others.
    """
    if request.kind != Kind.REINSTALL:
        return request.body, {**request.query, "reason": reason}
    params = dict(request.body.get("osparams") or {})
    if not params.get("config_url"):
        raise Refused("there is no hand-off for the OS definition (any more)")
    params["config_url"] = marked(params["config_url"], reason)
    return {**request.body, "osparams": params}, {}


@frozen
class RapiJobs:
    """The job queue of a cluster; never waits in it, never lists it whole."""

    transport: Caller

    async def submit(self, request: Request, reason: str) -> int:
        """See `Jobs.submit`."""
        method, path = route(request)
        answer = await self.transport.call(
            method,
            path.format(name=quote(request.name, safe="")),
            *_told(request, reason),
        )
        try:
            return int(answer)
        except (TypeError, ValueError) as error:
            raise Away(f"a submit was answered by {answer!r:.200}") from error

    async def newest(self) -> int:
        """See `Jobs.newest`."""
        listed = await self.transport.call("GET", "/2/jobs")
        return max((int(each["id"]) for each in listed), default=0)

    async def statuses(self, after: int, ids: Sequence[int]) -> list[JobStatus]:
        """See `Jobs.statuses`."""
        found: dict[int, JobStatus] = {}
        clauses: list[Any] = [[">", "id", after]]
        for part in pieces(sorted(set(ids)), IDS_MAX) if ids else iter([[]]):
            clauses += [["=", "id", ident] for ident in part]
            rows = await self._query("job", STATUS_FIELDS, ["|", *clauses])
            found.update((row["id"], status_of(row)) for row in rows if row["status"])
            clauses = []
        return [found[ident] for ident in sorted(found)]

    async def jobs(self, ids: Sequence[int]) -> list[Job]:
        """See `Jobs.jobs`."""
        found: list[Job] = []
        for part in pieces(sorted(set(ids)), DETAILS_MAX):
            wanted = ["|", *(["=", "id", ident] for ident in part)]
            rows = await self._query("job", JOB_FIELDS, wanted)
            found += [job_of(row) for row in rows if row["ops"]]
        return sorted(found, key=lambda job: job.id)

    async def cancel(self, job: int) -> bool:
        """See `Jobs.cancel`."""
        answer = await self.transport.call("DELETE", f"/2/jobs/{job}")
        return isinstance(answer, list) and answer[:1] == [True]

    async def _query(
        self, what: str, fields: Sequence[str], only: Any = None
    ) -> list[dict[str, Any]]:
        asked = {"fields": list(fields), "qfilter": only}
        answer = await self.transport.call("PUT", f"/2/query/{what}", asked)
        return views.rows(answer, fields)


@frozen
class Rapi(RapiJobs):
    """All of a cluster: implements `Ganeti`."""

    async def sightings(self) -> list[Sighting]:
        """See `Views.sightings`."""
        rows = await self._query("instance", views.SIGHTING_FIELDS)
        return [views.sighting(row) for row in rows]

    async def instances(self, names: Sequence[str]) -> list[Instance]:
        """See `Views.instances`."""
        found: list[Instance] = []
        for part in pieces(sorted(set(names)), IDS_MAX):
            # A filter of names alone is an error if any of them is unknown;
            # the clause on the uuid, which no instance meets, avoids that.
            only = ["|", *(["=", "name", name] for name in part), ["=", "uuid", ""]]
            rows = await self._query("instance", views.INSTANCE_FIELDS, only)
            found += [views.instance(row) for row in rows]
        return found

    async def networks(self) -> list[Network]:
        """See `Views.networks`."""
        rows = await self._query("network", views.NETWORK_FIELDS)
        return [views.network(row) for row in rows]

    async def describe(self) -> Description:
        """See `Views.describe`."""
        info = await self.transport.call("GET", "/2/info")
        nodes = await self._query("node", views.NODE_FIELDS)
        groups = await self._query("group", ("name",))
        return views.description(info, nodes, [row["name"] for row in groups])


def pieces(values: Sequence[Any], most: int) -> Iterator[Sequence[Any]]:
    """``values`` cut into parts of at most ``most``."""
    return (values[at : at + most] for at in range(0, len(values), most))
