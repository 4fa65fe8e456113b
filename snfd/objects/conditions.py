"""Conditions that a client attaches to a request (RFC 9110, section 13)."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen

from snfd.errors import PreconditionFailed
from snfd.objects.model import ObjectInfo

ANY = "*"
"""The condition that holds for whatever exists."""


class Verdict(Enum):
    """What the conditions of a read say."""

    GO_ON = "go on"
    UNCHANGED = "unchanged"


@frozen
class Conditions:
    """Conditions on the current version of an object.

    :ivar match: hashes in lower-case hex, or `ANY`; None: no condition.
    :ivar none_match: as ``match``.
    :ivar modified_since: whole seconds, UTC.
    :ivar unmodified_since: whole seconds, UTC.
    """

    match: frozenset[str] | None = None
    none_match: frozenset[str] | None = None
    modified_since: datetime | None = None
    unmodified_since: datetime | None = None

    def check_write(self, info: ObjectInfo | None) -> None:
        """Refuse a write whose conditions do not hold.

        :param info: what has the name now, or None.
        :raises PreconditionFailed: the object is not what was expected.
        """
        self._check_match(info)
        unwanted = self.none_match
        if unwanted is not None and info is not None and matches(unwanted, info):
            raise PreconditionFailed("the object exists already")

    def check_read(self, info: ObjectInfo) -> Verdict:
        """Whether to send the object.

        A date counts only where no hash was given with it.

        :raises PreconditionFailed: the object is not what was expected.
        """
        self._check_match(info)
        if self.none_match is not None:
            same = matches(self.none_match, info)
        elif self.modified_since is not None:
            same = seconds(info.changed) <= self.modified_since
        else:
            same = False
        return Verdict.UNCHANGED if same else Verdict.GO_ON

    def _check_match(self, info: ObjectInfo | None) -> None:
        if self.match is not None:
            if info is None or not matches(self.match, info):
                raise PreconditionFailed("the object is not the expected one")
            return
        since = self.unmodified_since
        if since is not None and info is not None and seconds(info.changed) > since:
            raise PreconditionFailed("the object has changed since")


NO_CONDITIONS = Conditions()


def matches(wanted: frozenset[str], info: ObjectInfo) -> bool:
    """Whether ``wanted`` names this content, by either kind of hash."""
    if ANY in wanted or info.root.hex() in wanted:
        return True
    return info.md5 is not None and info.md5.hex() in wanted


def wants_md5(conditions: Conditions) -> bool:
    """Whether the conditions can only be judged if the MD5 is known."""
    hashes = (conditions.match or frozenset()) | (conditions.none_match or frozenset())
    return any(len(value) == 32 for value in hashes)


def seconds(moment: datetime) -> datetime:
    """``moment`` in the whole seconds that HTTP dates have."""
    return moment.replace(microsecond=0)
