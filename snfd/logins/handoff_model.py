"""Values of OAuth2: programs, what they want, and the codes that they get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen


@frozen
class Client:
    """A program.

    :ivar redirects: exact addresses to which its users are sent back.
    :ivar trusted: nobody is asked whether he lets it.
    """

    id: str
    name: str
    redirects: Sequence[str]
    trusted: bool
    secret_hash: bytes | None = field(default=None, repr=False)


@frozen
class Wish:
    """What a program wants of its user.

    :ivar redirect: where to send him back.
    :ivar challenge: PKCE, S256; empty for none.
    """

    client: Client
    redirect: str
    scope: str
    state: str
    challenge: str


@frozen
class Code:
    """What was allowed to a program, until it comes for its token.

    :ivar used: whether it came already.
    """

    client: str
    redirect: str
    scope: str
    challenge: str
    used: bool
    expires: datetime
