"""What a login method is to the rest: one of four ways to vouch for somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from attrs import field, frozen

from snfd.audit import Actor
from snfd.db.port import Transaction
from snfd.logins.model import Claims, Method, Newcomer, Opened, Policies


@frozen(eq=False)
class Tools:
    """What methods are made with.

    :ivar reactor: the clock, and the way out.
    :ivar random: gives so many random bytes, fit for secrets.
    :ivar trusted_proxies: addresses and networks whose headers are believed.
    """

    reactor: Any
    random: Callable[[int], bytes]
    trusted_proxies: Sequence[str] = ()


@frozen(eq=False)
class Local:
    """Our own passwords: they are looked at by `Sessions`."""

    method: Method


class Form(Protocol):
    """Takes a name and a password, and looks at them itself."""

    @property
    def method(self) -> Method:
        """The configured method."""
        ...

    async def check(self, name: str, password: str) -> Claims:
        """Whom they belong to.

        :raises Unauthorized: no such person, or a wrong password.
        :raises Unavailable: whoever knows is away.
        """
        ...


@frozen(eq=False)
class Departure:
    """A browser that leaves for somebody else's page.

    :ivar url: where to.
    :ivar kept: what must be known when it comes back; the browser carries it,
        sealed.
    """

    url: str
    kept: Mapping[str, str] = field(repr=False)


class Journey(Protocol):
    """Sends the browser to somebody else and hears from it when it is back."""

    @property
    def method(self) -> Method:
        """The configured method."""
        ...

    async def leave(self, back: str) -> Departure:
        """Where to send it.

        :param back: our URL to come back to.
        :raises Unavailable: whoever knows is away.
        """
        ...

    async def returned(
        self, back: str, kept: Mapping[str, str], answer: Mapping[str, str]
    ) -> Claims:
        """Whom it brings word of.

        :param answer: the query that it came back with.
        :raises Unauthorized: the answer proves nothing.
        :raises Unavailable: whoever knows is away.
        """
        ...


class Headers(Protocol):
    """Believes the server in front of us."""

    @property
    def method(self) -> Method:
        """The configured method."""
        ...

    def read(self, header: Callable[[str], Sequence[str]], peer: str) -> Claims:
        """Whom the request's headers name.

        :param header: the values of one header, by name.
        :param peer: address of whoever connected to us.
        :raises Unauthorized: they name nobody, or ``peer`` is not believed.
        """
        ...


Way = Local | Form | Journey | Headers


class Accounts(Protocol):
    """Opens accounts; `snfd.accounts`."""

    async def __call__(
        self,
        tx: Transaction,
        newcomer: Newcomer,
        verified: bool,
        policies: Policies,
        actor: Actor,
        method: str,
        now: datetime,
    ) -> Opened:
        """Open an account that logs in by ``method``.

        :param verified: whether the method vouches for the e-mail, so that no
            letter is needed.
        :raises Conflict: the e-mail is taken.
        :raises Invalid: the e-mail or a name is none.
        """
        ...
