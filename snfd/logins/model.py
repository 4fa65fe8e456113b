"""Values and pure rules of logging in."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any
from uuid import UUID

from attrs import evolve, field, frozen

from snfd.identity.model import Issued
from snfd.tokens import digest, text

LOCAL = "local"
"""The method of our own passwords."""

FIELDS = ("email", "first_name", "last_name", "affiliation")
"""What a method may tell of a person."""

MAX_FIELD = 254
MAX_IDENTIFIER = 512


SESSION_MARK = "s."
"""What the secrets of sessions begin with, and no other token's do.

So a browser's cookie cannot be any token that somebody holds: one that is bound
to a project would be worth more in a browser than it is.
"""

HOST_MARK = "h."
"""The same where browsers come by https.

Such a session is read from the cookie that our host alone can have set; so
nobody in the same domain gives a browser another session than its own.
"""


def csrf_of(secret: str) -> str:
    """The token that a browser must send along with a session's cookie.

    It follows from the session's secret, which scripts cannot read; so nothing
    is stored, and nobody without the secret can make it.
    """
    made = hmac.new(secret.encode("utf-8", "surrogatepass"), b"snfd csrf 1", sha256)
    return text(made.digest())


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in time that tells nothing of them."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )


def challenge(verifier: str) -> str:
    """What PKCE shows of a verifier beforehand (RFC 7636, S256)."""
    return text(digest(verifier))


@frozen
class Policies:
    """What may be done with one login method (spec/astakos.md §5.3).

    :ivar login: whether it logs people in.
    :ivar create: whether strangers may open an account by it.
    :ivar add: whether it may be attached to an account.
    :ivar remove: whether it may be detached while another one remains.
    :ivar limit: how many of it one account may have.
    :ivar switch: whether its identifier may be replaced by another.
    :ivar required: whether everybody is asked to attach it.
    :ivar automoderate: whether new accounts need no moderator.
    :ivar autoverify: whether an address that it gives needs no letter.
    :ivar creation_groups: joined with a new account.
    :ivar add_groups: joined when it is attached, left when it is detached.
    """

    login: bool = True
    create: bool = True
    add: bool = True
    remove: bool = True
    limit: int = 1
    switch: bool = True
    required: bool = False
    automoderate: bool = False
    autoverify: bool = False
    creation_groups: Sequence[str] = ()
    add_groups: Sequence[str] = ()


@frozen
class Claims:
    """What a login method vouches for.

    :ivar identifier: names the person for the method, for ever.
    :ivar fields: what it tells of him, by `FIELDS`.
    :ivar verified: whether it says that the e-mail is his.
    :ivar groups: those of ours that he is in by its word; None where it is not
        asked for groups.
    :ivar mirrored: those of ours that it decides about.
    """

    identifier: str
    fields: Mapping[str, str] = field(factory=dict)
    verified: bool = False
    groups: frozenset[str] | None = None
    mirrored: frozenset[str] = frozenset()


@frozen
class Method:
    """A configured login method.

    :ivar name: its place in URLs and in `identity.login_method`.
    :ivar title: what people call it.
    :ivar forced: fields that only it may change.
    """

    name: str
    title: str
    policies: Policies = Policies()
    forced: frozenset[str] = frozenset()


@frozen
class Attached:
    """A login method of one person."""

    id: int
    method: str
    identifier: str
    created: datetime
    used: datetime | None


@frozen
class Pending:
    """Somebody whom a method vouches for, and who has no account yet.

    :ivar next: where he wanted to go.
    """

    method: str
    claims: Claims
    next: str


class Outcome(Enum):
    """What became of somebody who came back from a login method."""

    IN = "logged in"
    ADDED = "added to the account"
    NEW = "has no account yet"


@frozen
class Arrival:
    """The same with what follows.

    :ivar session: for `Outcome.IN`.
    :ivar key: for `Outcome.NEW`: opens the form of a new account, once.
    """

    outcome: Outcome
    session: Issued | None = None
    key: str = field(default="", repr=False)


@frozen
class Newcomer:
    """What somebody says of himself when he opens an account.

    :ivar terms: the terms of service that he agrees to; None for none.
    """

    email: str
    first_name: str = ""
    last_name: str = ""
    affiliation: str = ""
    terms: int | None = None


@frozen
class Opened:
    """What became of a sign-up.

    :ivar active: whether it can be used at once.
    """

    user: UUID
    active: bool


def cleaned(fields: Mapping[str, object]) -> dict[str, str]:
    """Those of ``fields`` that we keep, as short printable text."""
    kept: dict[str, str] = {}
    for name in FIELDS:
        value = fields.get(name)
        if isinstance(value, str):
            line = "".join(c for c in value if c.isprintable()).strip()
            if line and len(line) <= MAX_FIELD:
                kept[name] = line
    return kept


def merged(claims: Claims, newcomer: Newcomer, forced: frozenset[str]) -> Newcomer:
    """What ``newcomer`` wrote, but for the fields that only the method decides."""
    told: dict[str, Any] = {
        name: claims.fields[name] for name in forced if name in claims.fields
    }
    return evolve(newcomer, **told)


def complete(claims: Claims, forced: frozenset[str]) -> bool:
    """Whether the method decides all that an account needs: nobody need be asked."""
    wanted = {"email", "first_name", "last_name"}
    return wanted <= forced and wanted <= claims.fields.keys()
