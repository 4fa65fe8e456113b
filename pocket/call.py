"""One request to RAPI, decoded, and how it becomes a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from pocket.cluster import Cluster
from pocket.errors import Refusal
from pocket.jobs import JobQueue
from pocket.params import fill

Args = Mapping[str, list[str]]


@frozen
class Call:
    """One request, decoded.

    :ivar item: the name in the path, or "".
    :ivar args: the query string.
    :ivar body: the decoded body, or None.
    """

    cluster: Cluster
    jobs: JobQueue
    item: str
    args: Args
    body: Any

    def flag(self, name: str) -> bool:
        """A query argument that is 0 or 1.

        :raises Refusal: 400; it is no number.
        """
        text = self.args.get(name, ["0"])[0]
        try:
            return bool(int(text))
        except ValueError:
            raise Refusal(400, f"Invalid value for the '{name}' parameter") from None

    def submit(self, op_id: str, source: str, body: Any, **static: Any) -> int:
        """Submit an operation; the answer is the job's number.

        :param source: the resource's name, for the reason trail.
        :raises Refusal: 400; the body is not right.
        """
        if body is None:
            body = {}
        if not isinstance(body, dict):
            kind = type(body).__name__
            raise Refusal(
                400, f"Body contents: Type is '{kind}', but 'dict' is expected"
            )
        if isinstance(self.body, dict) and self.body.get("depends"):
            body = {**body, "depends": self.body["depends"]}
        now = int(self.cluster.clock.seconds() * 1e9)
        reason = [["gnt:user", text, now] for text in self.args.get("reason", [])[:1]]
        reason.append([f"gnt:library:rlib2:{source}", "", now])
        op = fill(op_id, body, {**static, "reason": reason})
        return self.jobs.submit(op)


def uris(names: list[Any], place: str, key: str) -> list[dict[str, Any]]:
    """A list that is not bulk: names and where they are."""
    return [{key: name, "uri": f"/2/{place}/{name}"} for name in sorted(names)]
