"""Firewall profiles of network cards, which are tags of instances.

A hook on the nodes does what they say (``spec/cyclades.md`` §5.7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from snfd import outbox
from snfd.db.port import Transaction
from snfd.errors import Invalid
from snfd.ganeti import jobs, names
from snfd.ganeti.model import Event, Kind, Outcome
from snfd.intent import Intent
from snfd.network.model import OPEN, Port
from snfd.network.store import profiles as store

PROFILES = ("ENABLED", OPEN, "PROTECTED")
_WORDS = {"ENABLED": "protected", "PROTECTED": "limited"}
_TAG = re.compile(r"synnefo:network:snf-nic-([1-9][0-9]{0,17}):([a-z]+)\Z")
_MEANT = {word: profile for profile, word in _WORDS.items()}
_GONE = "unknown_entity"
_KINDS = (Kind.ADD_TAGS, Kind.REMOVE_TAGS)


def checked(profile: str) -> str:
    """``profile`` if there is such a one.

    :raises Invalid: there is none.
    """
    if profile not in PROFILES:
        raise Invalid(f"a firewall profile is one of {', '.join(PROFILES)}")
    return profile


def tags(port: int, profile: str) -> list[str]:
    """The tags that a port's card has under ``profile``: one, or none."""
    if profile not in _WORDS:
        return []
    return [f"synnefo:network:{names.nic(port)}:{_WORDS[profile]}"]


def profiles(tagged: Iterable[str]) -> Mapping[int, str]:
    """Port → profile, of those tags that say one."""
    found = [one for tag in tagged if (one := _TAG.match(tag))]
    return {int(one[1]): _MEANT[one[2]] for one in found if one[2] in _MEANT}


def expected(port: Port, waiting: Iterable[Intent]) -> str:
    """The profile that a port has once its cluster has done all that waits."""
    profile = port.firewall
    for intent in waiting:
        said = profiles(_asked(intent))
        if port.id in said:
            profile = said[port.id] if intent.kind == Kind.ADD_TAGS else OPEN
    return profile


def _asked(intent: Intent) -> Sequence[str]:
    """The tags that an intent is about."""
    if intent.kind not in _KINDS:
        return ()
    return list(intent.request.get("query", {}).get("tag", ()))


async def settled(tx: Transaction, server: int, outcome: Outcome) -> bool:
    """Write down what an outcome says of the profiles of a locked server's cards.

    :returns: whether any of them changed.
    """
    if outcome.instance is not None:
        waiting = await outbox.open_entries(tx, outcome.subject)
        if any(profiles(_asked(one.intent)) for one in waiting):
            return False
        return await store.put(tx, server, profiles(outcome.instance.tags))
    said = profiles(_said(outcome))
    match outcome.event:
        case Event.TAGGED:
            return await store.give(tx, server, said)
        case Event.UNTAGGED | Event.TAG_FAILED:
            return await store.lose(tx, server, said)
        case Event.UNTAG_FAILED if _was_gone(outcome):
            return await store.lose(tx, server, said)
    return False


def _said(outcome: Outcome) -> Iterable[str]:
    """The tags that an outcome is about, whoever asked for it."""
    if outcome.intent is not None:
        return _asked(outcome.intent)
    ops = outcome.job.ops if outcome.job else ()
    return [tag for op in ops if op.code in _KINDS for tag in op.input.get("tags", ())]


def _was_gone(outcome: Outcome) -> bool:
    return outcome.job is not None and jobs.error(outcome.job)[1] == _GONE
