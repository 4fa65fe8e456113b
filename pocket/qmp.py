"""QEMU's monitor protocol: JSON lines over a unix socket."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from pocket.errors import OpExecError

_LONGEST = 1024 * 1024


@define(eq=False)
class Monitor(LineReceiver):
    """A connection to one QEMU; as long as it is there, QEMU runs.

    :ivar ready: fires once commands are possible.
    :ivar gone: fires when QEMU has closed the connection.
    """

    gone: Callable[[], None]
    ready: Deferred[None] = field(init=False, factory=Deferred)
    connected: bool = field(init=False, default=False)
    _asked: deque[Deferred[Any]] = field(init=False, factory=deque)
    delimiter = b"\n"
    MAX_LENGTH = _LONGEST

    def execute(self, command: str, **arguments: Any) -> Deferred[Any]:
        """Give a command; its answer.

        :raises OpExecError: QEMU refuses it, or is gone.
        """
        if not self.connected:
            raise OpExecError("QEMU is gone")
        answer: Deferred[Any] = Deferred(lambda _: None)
        self._asked.append(answer)
        assert self.transport is not None
        self.transport.write(
            msgspec.json.encode({"execute": command, "arguments": arguments}) + b"\n"
        )
        return answer

    def lineReceived(self, line: bytes) -> None:
        """An answer, an event, or the greeting."""
        message = msgspec.json.decode(line)
        if "QMP" in message:
            self.connected = True
            self.execute("qmp_capabilities").addCallbacks(
                lambda _: self.ready.callback(None), self._unready
            )
        elif "return" in message:
            self._answer(message["return"])
        elif "error" in message:
            self._answer(Failure(OpExecError(f"QEMU: {message['error']['desc']}")))

    def _unready(self, failure: Failure) -> None:
        if not self.ready.called:
            self.ready.errback(failure)

    def _answer(self, value: Any) -> None:
        asked = self._asked.popleft()
        if not asked.called:
            asked.callback(value)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """QEMU has ended (or the line broke, which never happens alone)."""
        self.connected = False
        self._unready(Failure(OpExecError("QEMU ended at once")))
        while self._asked:
            self._answer(Failure(OpExecError("QEMU is gone")))
        self.gone()


@define(eq=False)
class MonitorFactory(Factory):
    """Makes the monitor of one machine."""

    gone: Callable[[], None]
    noisy = False

    def buildProtocol(self, addr: Any) -> Monitor:
        """A monitor."""
        return Monitor(self.gone)
