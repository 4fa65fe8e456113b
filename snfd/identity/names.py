"""Rules for usernames, e-mail addresses and passwords."""

from __future__ import annotations

from uuid import UUID

from snfd.errors import Invalid
from snfd.identity.looks import check_looks

MAX_NAME = 254
MAX_PASSWORD = 1024
"""The longest password, in characters; longer ones are refused unhashed."""

RESERVED = ("root", "snfd")
"""Whom the audit trail calls so: the administrator at the socket, the daemon."""

CLOSED = "closed:"
"""What the names of closed accounts begin with; see `closed_names`."""


def normalised(name: str) -> str:
    """A username or e-mail as it is stored and compared."""
    return name.strip().lower()


def check_username(name: str, email: str) -> str:
    """``name`` normalised, if a user with ``email`` may have it.

    :raises Invalid: it is empty, too long, unprintable, a uuid, looks like
        an e-mail other than his own, or could be taken for the daemon or, in
        other forms of the same letters, for somebody else.
    """
    name = normalised(name)
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or " " in name:
        raise Invalid(f"a username has 1 to {MAX_NAME} printable characters, no spaces")
    if as_uuid(name) is not None:
        raise Invalid("a username must not be a uuid")
    if "@" in name and name != email:
        raise Invalid("a username with '@' must be the user's own e-mail")
    if name in RESERVED or name.startswith(CLOSED):
        raise Invalid(f"{name!r} is kept for the cloud itself")
    if "@" not in name:
        check_looks(name, "a username")
    return name


def check_email(email: str) -> str:
    """``email`` normalised.

    :raises Invalid: it is no address.
    """
    email = normalised(email)
    local, at, domain = email.partition("@")
    sound = local and at and domain and "@" not in domain and email.isprintable()
    if not sound or " " in email or len(email) > MAX_NAME:
        raise Invalid("that is no e-mail address")
    return email


def check_password(password: str) -> str:
    """``password`` if it may be set.

    :raises Invalid: empty or longer than `MAX_PASSWORD`.
    """
    if not 1 <= len(password) <= MAX_PASSWORD:
        raise Invalid(f"a password has 1 to {MAX_PASSWORD} characters")
    return password


def as_uuid(text: str) -> UUID | None:
    """``text`` as a uuid, with or without hyphens; None if it is none."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if text.lower() in (str(found), found.hex) else None


def full_name(first: str, last: str, username: str) -> str:
    """How a person is shown."""
    return f"{first} {last}".strip() or username
