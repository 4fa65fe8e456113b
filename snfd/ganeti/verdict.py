"""What became of an intent, from all that is known; pure.

A job's own word is not the last one: a failed removal of something that is
gone was a success, and the outcome of a job that got lost shows in the thing
itself (spec/cyclades.md §3.2, §6.3).
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from snfd.ganeti import names
from snfd.ganeti.jobs import EVENTS, LOOKS_AT_INSTANCE, LOOKS_AT_NETWORK, error
from snfd.ganeti.model import Event, Instance, Job, Kind, Network, Status
from snfd.intent import Entry, Intent, State

EXISTS = frozenset({"already_exists", "resource_not_unique"})
SHORT_OF_RESOURCES = "temp_insufficient_resources"


@frozen
class Verdict:
    """How an intent ended.

    :ivar error: the cluster's words, empty on success.
    """

    event: Event
    state: State
    error: str = ""


def needs_instance(kind: str, job: Job | None) -> bool:
    """Whether the instance must be looked at before judging."""
    if kind.startswith("OP_NETWORK"):
        return False
    good, bad = EVENTS[kind]
    if job is None or kind in (Kind.CREATE, Kind.REMOVE):
        return job is None or _failed(job) or good in LOOKS_AT_INSTANCE
    return (bad if _failed(job) else good) in LOOKS_AT_INSTANCE


def needs_network(kind: str, job: Job | None) -> bool:
    """Whether the networks must be looked at before judging."""
    if not kind.startswith("OP_NETWORK"):
        return False
    return job is None or _failed(job) or EVENTS[kind][0] in LOOKS_AT_NETWORK


def judge(
    intent: Intent,
    job: Job | None,
    instance: Instance | None,
    network: Network | None,
) -> Verdict:
    """How ``intent`` ended.

    :param job: its job, final; None if that is lost.
    :param instance: as it is now; None if there is none or it was not needed.
    :param network: likewise.
    """
    good, bad = EVENTS[intent.kind]
    if job is not None and not _failed(job):
        return Verdict(good, State.SUCCESS)
    text, code = ("its job is lost", "") if job is None else error(job)
    if _shows(intent, job is None, code, instance, network):
        return Verdict(good, State.SUCCESS if job else State.LOST)
    if job is None:
        return Verdict(bad, State.LOST, text)
    canceled = job.status is Status.CANCELED
    return Verdict(bad, State.CANCELED if canceled else State.ERROR, text)


def _failed(job: Job) -> bool:
    return job.status is not Status.SUCCESS


def _shows(
    intent: Intent,
    lost: bool,
    code: str,
    instance: Instance | None,
    network: Network | None,
) -> bool:
    """Whether the thing itself shows that what was wanted has come about."""
    mark = names.tag(intent.id)
    match intent.kind:
        case Kind.REMOVE:
            return instance is None
        case Kind.CREATE:
            return (lost or code in EXISTS) and _tagged(instance, mark)
        case Kind.START | Kind.REBOOT:
            return lost and instance is not None and instance.oper_state is True
        case Kind.STOP:
            return lost and instance is not None and instance.oper_state is False
        case Kind.NETWORK_REMOVE:
            return network is None
        case Kind.NETWORK_ADD:
            return (lost or code in EXISTS) and _tagged(network, mark)
    return _group_shows(intent, network)


def _group_shows(intent: Intent, network: Network | None) -> bool:
    group = intent.request.get("body", {}).get("group_name")
    joined = network is not None and group in network.groups
    if intent.kind == Kind.NETWORK_CONNECT:
        return joined
    return intent.kind == Kind.NETWORK_DISCONNECT and not joined


def _tagged(thing: Instance | Network | None, mark: str) -> bool:
    return thing is not None and mark in thing.tags


def again(entry: Entry, job: Job) -> dict[str, Any] | None:
    """The request to submit once more, or None if the job's word stands.

    A creation that found too few resources while others were locked is
    worth a second try that waits for the locks.
    """
    intent = entry.intent
    body = intent.request.get("body", {})
    if intent.kind != Kind.CREATE or not body.get("opportunistic_locking"):
        return None
    if error(job)[1] != SHORT_OF_RESOURCES:
        return None
    return {**intent.request, "body": {**body, "opportunistic_locking": False}}


def refused(intent: Intent, text: str) -> Verdict:
    """The verdict on what the cluster would not even queue."""
    return Verdict(EVENTS[intent.kind][1], State.ERROR, text)


def shortened(verdict: Verdict, most: int = 2000) -> Verdict:
    """The same with an error of at most ``most`` characters."""
    if len(verdict.error) <= most:
        return verdict
    return evolve(verdict, error=verdict.error[: most - 1] + "…")
