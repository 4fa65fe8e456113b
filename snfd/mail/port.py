"""What the daemon asks of a mail server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from attrs import field, frozen

from snfd.mail.states import Outcome

Go = Callable[[], Awaitable[bool]]
"""Asked right before a letter's end goes out: whether it still may."""


@frozen
class Parcel:
    """A letter as it goes over the wire.

    :ivar sender: the address that hears of failures.
    :ivar data: the whole message, lines ended by CR LF, not yet dot-stuffed.
    """

    sender: str
    to: str
    data: bytes = field(repr=False)


@frozen
class Verdict:
    """How sending one parcel ended.

    :ivar reason: the server's answer, or what went wrong; empty if it was taken.
    """

    outcome: Outcome
    reason: str = ""


class Connection(Protocol):
    """A connection to a mail server that takes one letter after the other."""

    @property
    def usable(self) -> bool:
        """Whether another letter can be sent by it."""

    async def send(self, parcel: Parcel, go: Go) -> Verdict:
        """Offer one letter; never raises for what the server does.

        ``untried`` with a reason: the server takes no letters of ours.

        ``go`` is called at most once, when the server waits for the letter
        itself; unless it answers True nothing is taken, and the verdict is
        ``untried``. An error of it is raised, and nothing is taken.
        """

    async def close(self) -> None:
        """Take leave; what is under way is broken off. Returns at once or soon."""


class Courier(Protocol):
    """Knows the way to a mail server."""

    async def connect(self) -> Connection:
        """A connection by which letters can be sent.

        :raises Unavailable: there is none to be had, or not as safe as asked
            for; what is wrong.
        """
