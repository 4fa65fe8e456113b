"""Letters as values, without SQL or SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen


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
    """

    event: str
    to: str
    kind: Kind
    values: Mapping[str, str] = field(factory=dict, repr=False)
