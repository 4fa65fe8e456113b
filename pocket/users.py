"""Who may call RAPI: Ganeti's users file."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping

from attrs import frozen

from pocket.errors import Refusal

REALM = "Ganeti Remote API"
WRITE = "write"


@frozen
class User:
    """One line of the users file.

    :ivar secret: the password, or ``{HA1}`` and the MD5 of user:realm:password.
    """

    name: str
    secret: str
    options: frozenset[str] = frozenset()

    def knows(self, password: str) -> bool:
        """Whether that is the user's password."""
        kind, wanted = "", self.secret
        if wanted.startswith("{"):
            kind, _, wanted = wanted[1:].partition("}")
        if kind.upper() == "HA1":
            text = f"{self.name}:{REALM}:{password}".encode()
            password = hashlib.md5(text, usedforsecurity=False).hexdigest()
            wanted = wanted.lower()
        elif kind and kind.lower() != "cleartext":
            return False
        return hmac.compare_digest(wanted.encode(), password.encode())


def read_users(text: str) -> dict[str, User]:
    """The users of a file with lines ``NAME PASSWORD [write]``."""
    users: dict[str, User] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and not words[0].startswith("#"):
            options = frozenset(",".join(words[2:]).split(","))
            users[words[0]] = User(words[0], words[1], options)
    return users


def authenticate(users: Mapping[str, User], header: str | None) -> User:
    """The user of an ``Authorization`` header.

    :raises Refusal: 401; there is none, or the password is wrong.
    """
    kind, _, value = (header or "").partition(" ")
    if kind.lower() != "basic":
        raise Refusal(401, "No permission -- see authorization schemes")
    try:
        name, _, password = (
            b64decode(value.strip(), validate=True).decode().partition(":")
        )
    except ValueError:
        raise Refusal(401, "No permission -- see authorization schemes") from None
    user = users.get(name)
    if user is None or not user.knows(password):
        raise Refusal(401, "No permission -- see authorization schemes")
    return user
