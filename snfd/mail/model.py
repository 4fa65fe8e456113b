"""Letters as values, without SQL or SMTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from attrs import field, frozen

from snfd.errors import Invalid

MAX_ADDRESS = 254
"""Characters of an address (RFC 5321, 4.5.3.1)."""

MIN_TRIES = 10
"""How often servers must have put a letter off until it is given up."""

_ADDRESS = re.compile(r"[^\s\"\\()<>\[\]:;,@\x00-\x20\x7f-\x9f]+@[\w.\-]+\Z")


class Kind(StrEnum):
    """What a letter tells; its template has the same name."""

    VERIFY = "verify"
    PENDING_MODERATION = "pending_moderation"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    RESET = "reset"
    CREDENTIALS_CHANGED = "credentials_changed"
    EMAIL_CONFIRM = "email_confirm"
    EMAIL_CHANGED = "email_changed"
    FEEDBACK = "feedback"
    PROJECT_APPLIED = "project_applied"
    PROJECT_MODIFICATION = "project_modification"
    PROJECT_APPROVED = "project_approved"
    PROJECT_DENIED = "project_denied"
    PROJECT_SUSPENDED = "project_suspended"
    PROJECT_UNSUSPENDED = "project_unsuspended"
    PROJECT_TERMINATED = "project_terminated"
    PROJECT_REINSTATED = "project_reinstated"
    PROJECT_EXPIRES = "project_expires"
    JOIN_REQUESTED = "join_requested"
    LEAVE_REQUESTED = "leave_requested"
    MEMBER_ACCEPTED = "member_accepted"
    MEMBER_REJECTED = "member_rejected"
    MEMBER_REMOVED = "member_removed"
    MEMBER_SUSPENDED = "member_suspended"
    MEMBER_ENROLLED = "member_enrolled"
    CONTACT = "contact"


@frozen
class Letter:
    """One letter to one person.

    :ivar event: names what happened, uniquely: one address gets one letter of it.
    :ivar to: an e-mail address.
    :ivar values: what the template of ``kind`` speaks of; may hold links that
        work once, so it is stored sealed and not logged.
    :ivar language: of its text, where there is a template in it.
    """

    event: str
    to: str
    kind: Kind
    values: Mapping[str, str] = field(factory=dict, repr=False)
    language: str = "en"


@frozen
class Queued:
    """A letter that was taken up to be sent.

    :ivar words: its sealed values.
    :ivar attempt: how often it has been taken up, this time included; a process
        that knows an older number has lost it to another one.
    :ivar refused: when a server first put it off.
    :ivar tries: how often one did.
    :ivar repeat: whether it may have been taken before.
    """

    id: int
    event: str
    to: str
    kind: str
    language: str
    words: bytes = field(repr=False)
    attempt: int
    created: datetime
    refused: datetime | None
    tries: int
    repeat: bool
    request_id: str | None = None


@frozen
class PutBack:
    """How a letter waits for its next try.

    :ivar reason: why it was not sent; None leaves the last reason.
    :ivar refused: when a server first put it off, or None.
    :ivar handed: whether it may have been taken nevertheless.
    """

    due: datetime
    reason: str | None
    refused: datetime | None
    tries: int
    handed: bool


def checked_address(text: str) -> str:
    """``text``, if a letter can be sent there.

    :raises Invalid: it is no plain e-mail address (quoted local parts are not
        served), or longer than `MAX_ADDRESS`.
    """
    if len(text) > MAX_ADDRESS or not _ADDRESS.match(text):
        raise Invalid("that is no e-mail address to which a letter can be sent")
    return text


def message_id(event: str, to: str, domain: str) -> str:
    """The letter's ``Message-ID``: the same whenever it is sent again."""
    digest = sha256(f"{event}\0{to}".encode()).hexdigest()[:32]
    return f"<{digest}@{domain}>"


def pause(refused: datetime, now: datetime, shortest: float, longest: float) -> float:
    """Seconds until the next try: as many as it has been put off, within bounds.

    So each pause is twice the one before.
    """
    return min(longest, max(shortest, (now - refused).total_seconds()))


def given_up(tries: int, refused: datetime, now: datetime, patience: timedelta) -> bool:
    """Whether a letter that was first put off at ``refused`` is tried no more.

    A server that was away in the meantime does not cost a letter its life.
    """
    return tries >= MIN_TRIES and now - refused >= patience


_REASONED = frozenset(("name", "reason"))
_APPLICATION = frozenset(
    ("project", "name", "application", "description", "comments", "link")
)
_ABOUT_PROJECT = frozenset(("project", "reason", "link"))
_REQUEST = frozenset(("project", "name", "link"))

VALUES: Mapping[Kind, frozenset[str]] = {
    Kind.VERIFY: frozenset(("name", "link")),
    Kind.PENDING_MODERATION: frozenset(("name", "email", "uuid", "link")),
    Kind.ACCEPTED: _REASONED,
    Kind.REJECTED: _REASONED,
    Kind.ACTIVATED: _REASONED,
    Kind.DEACTIVATED: _REASONED,
    Kind.RESET: frozenset(("name", "link")),
    Kind.CREDENTIALS_CHANGED: frozenset(("name", "what")),
    Kind.EMAIL_CONFIRM: frozenset(("name", "link")),
    Kind.EMAIL_CHANGED: frozenset(("name", "email")),
    Kind.FEEDBACK: frozenset(("name", "email", "message", "data")),
    Kind.PROJECT_APPLIED: _APPLICATION,
    Kind.PROJECT_MODIFICATION: _APPLICATION,
    Kind.PROJECT_APPROVED: _ABOUT_PROJECT,
    Kind.PROJECT_DENIED: _ABOUT_PROJECT,
    Kind.PROJECT_SUSPENDED: _ABOUT_PROJECT,
    Kind.PROJECT_UNSUSPENDED: _ABOUT_PROJECT,
    Kind.PROJECT_TERMINATED: _ABOUT_PROJECT,
    Kind.PROJECT_REINSTATED: _ABOUT_PROJECT,
    Kind.PROJECT_EXPIRES: frozenset(("project", "date", "days", "link")),
    Kind.JOIN_REQUESTED: _REQUEST,
    Kind.LEAVE_REQUESTED: _REQUEST,
    Kind.MEMBER_ACCEPTED: _ABOUT_PROJECT,
    Kind.MEMBER_REJECTED: _ABOUT_PROJECT,
    Kind.MEMBER_REMOVED: _ABOUT_PROJECT,
    Kind.MEMBER_SUSPENDED: _ABOUT_PROJECT,
    Kind.MEMBER_ENROLLED: _ABOUT_PROJECT,
    Kind.CONTACT: frozenset(("subject", "text")),
}
"""What a letter of each kind can speak of; what is not given is empty."""

MULTILINE = frozenset(("comments", "data", "description", "message", "reason", "text"))
"""The values that keep their lines; all others are brought into one line."""
