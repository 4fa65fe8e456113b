"""What a bridge needs of a websocket, and both need of a transport."""

from __future__ import annotations

from typing import Protocol

from twisted.internet.interfaces import IPushProducer

from vnc.model import Closing


class Wire(Protocol):
    """What we use of a TCP or TLS transport."""

    def write(self, data: bytes) -> None:  # noqa: D102
        ...
    def loseConnection(self) -> None:  # noqa: D102
        ...
    def abortConnection(self) -> None:  # noqa: D102
        ...
    def pauseProducing(self) -> None:  # noqa: D102
        ...
    def resumeProducing(self) -> None:  # noqa: D102
        ...
    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:  # noqa: D102
        ...
    def unregisterProducer(self) -> None:  # noqa: D102
        ...


class Socket(Protocol):
    """What a bridge needs of a websocket."""

    def send(self, data: bytes) -> None:
        """Send one binary message; dropped once the socket is closing."""

    def close(self, closing: Closing) -> None:
        """Start the closing handshake; what was sent before goes out first."""

    def abort(self) -> None:
        """Cut the connection."""

    def pause(self) -> None:
        """Read no more."""

    def resume(self) -> None:
        """Read again."""

    def attach(self, producer: IPushProducer) -> None:
        """Have ``producer`` paused while the client does not read."""

    def detach(self) -> None:
        """Let go of the producer, if there is one."""
