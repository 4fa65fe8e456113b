"""What RAPI's resources for jobs and queries answer."""

from __future__ import annotations

from typing import Any

from pocket import node, record, views
from pocket.call import Call, uris
from pocket.errors import Refusal
from pocket.jobs import JobQueue
from pocket.query import Field, Fields, answer, compiled, named, table


def get_jobs(call: Call) -> Any:
    """All jobs that are not archived."""
    if not call.flag("bulk"):
        return uris([job.id for job in call.jobs.all()], "jobs", "id")
    return [views.row(record.FIELDS, record.BULK, job) for job in call.jobs.all()]


def get_job(call: Call) -> Any:
    """One job, archived or not; nulls if there is none of that number."""
    job = call.jobs.get(_number(call.item))
    if job is None:
        return dict.fromkeys(record.FULL)
    return views.row(record.FIELDS, record.FULL, job)


def cancel_job(call: Call) -> Any:
    """Cancel a job."""
    return list(call.jobs.cancel(_number(call.item)))


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise Refusal(400, f"Invalid job ID '{text[:40]}'")
    return int(text)


def query(call: Call) -> Any:
    """A query with fields and filter."""
    if not isinstance(call.body, dict):
        raise Refusal(400, "Body contents: Type is not 'dict'")
    names = call.body.get("fields")
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise Refusal(400, "Missing 'fields' query argument")
    what = call.body.get("qfilter", call.body.get("filter"))
    if call.item == "job":
        return _query_jobs(call.jobs, names, what)
    if call.item == "instance":
        return _query(
            views.instance_fields(call.cluster), names, what, call.cluster.instances
        )
    if call.item == "network":
        return _query(
            views.network_fields(call.cluster), names, what, call.cluster.networks
        )
    if call.item in ("node", "group"):
        found = {"node": node.node, "group": node.group}[call.item](call.cluster)
        fields = table(*(_key(name) for name in found))
        return _query(fields, names, what, [found])
    raise Refusal(502, f"Query for '{call.item[:40]}' is not possible here")


def _key(name: str) -> Field[dict[str, Any]]:
    return Field(name, "other", lambda found: found[name])


def _query(fields: Fields[Any], names: list[str], what: Any, rows: Any) -> Any:
    test = compiled(fields, what)
    return answer(fields, names, [item for item in rows if test(item)])


def _query_jobs(jobs: JobQueue, names: list[str], what: Any) -> Any:
    """Archived jobs are found where they are asked for by number alone, or
    where the field ``archived`` is.
    """
    test = compiled(record.FIELDS, what)
    idents = named(what, "id")
    if idents is None:
        rows = [job for job in jobs.all("archived" in names) if test(job)]
        return answer(record.FIELDS, names, rows)
    found = [jobs.get(int(i)) for i in _sorted(idents)]
    reply = answer(record.FIELDS, names, [job for job in found if job is not None])
    for at, (ident, job) in enumerate(zip(_sorted(idents), found, strict=True)):
        if job is None:
            missing = [[0, ident] if n == "id" else [3, None] for n in names]
            reply["data"].insert(at, missing)
    return reply


def _sorted(idents: list[Any]) -> list[int]:
    return sorted({_number(str(ident)) for ident in idents})
