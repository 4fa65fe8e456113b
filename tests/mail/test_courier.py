"""The contract on the courier in memory."""

from __future__ import annotations

from collections.abc import Sequence

from snfd.mail.courier import MemoryCourier
from tests.contracts import mail


class MemoryCourierTests(mail.CourierContract):
    def setUp(self) -> None:
        self.courier = self.memory = MemoryCourier()

    def happens(self, **events: Sequence[int | str]) -> None:
        self.memory.script = {point: list(left) for point, left in events.items()}

    def taken(self) -> Sequence[tuple[str, str, bytes]]:
        return [(one.sender, one.to, one.data) for one in self.memory.taken]

    def connections(self) -> int:
        return self.memory.connections
