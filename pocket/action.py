"""What an operation still has to do once its checks have passed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from attrs import frozen

Say = Callable[[str], None]


def _nothing() -> None:
    """Nothing to undo."""


@frozen
class Action:
    """The second half of an operation.

    :ivar act: does it; its result is the operation's.
    :ivar undo: gives back what the checks reserved, if ``act`` is not called.
    :ivar dry: the result of a dry run.
    """

    act: Callable[[], Awaitable[Any]]
    undo: Callable[[], None] = _nothing
    dry: Any = None


def done(work: Callable[[], Any]) -> Action:
    """An action that needs no waiting."""

    async def act() -> Any:
        return work()

    return Action(act)
