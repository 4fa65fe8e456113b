"""Faults on demand, so that tests can see how a client bears them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from attrs import define, field

from pocket.errors import OpExecError, OpPrereqError, Refusal
from pocket.params import Op

KINDS = (
    "hang",  # take the request, never answer
    "reset",  # drop the connection, take nothing
    "error",  # answer `status`, take nothing
    "lose",  # do what is asked, then drop the connection without an answer
    "lose-hang",  # do what is asked, then never answer
    "empty",  # answer that there is nothing, whatever there is
    "fail",  # the operation named by `match` fails when it runs
    "full",  # it finds too few resources, as while others hold locks
)


@define
class Fault:
    """One fault.

    :ivar kind: one of `KINDS`.
    :ivar match: a shell pattern for ``METHOD /path``, or for an ``OP_ID`` (or
        ``OP_ID(instance)``) where the kind is ``fail`` or ``full``.
    :ivar times: how often; None is until it is removed.
    :ivar status: HTTP status of ``error``.
    """

    kind: str
    match: str = "*"
    times: int | None = 1
    status: int = 500


@define(eq=False)
class Faults:
    """The faults that wait for their request.

    :ivar hits: what met a fault so far: kind and request, oldest first.
    """

    waiting: list[Fault] = field(factory=list)
    hits: list[tuple[str, str]] = field(factory=list)

    def add(
        self, kind: str, match: str = "*", times: int | None = 1, status: int = 500
    ) -> Fault:
        """Let the next matching requests meet a fault.

        :raises Refusal: 400; there is no such kind.
        """
        if kind not in KINDS:
            raise Refusal(400, f"Unknown fault; there are {', '.join(KINDS)}")
        fault = Fault(kind, match, times, status)
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        """No more faults."""
        self.waiting.clear()

    def meet(self, request: str, kinds: Sequence[str]) -> Fault | None:
        """The fault for a request, if one of these kinds waits for it."""
        for fault in self.waiting:
            if fault.kind in kinds and fnmatchcase(request, fault.match):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.waiting.remove(fault)
                self.hits.append((fault.kind, request))
                del self.hits[:-1000]
                return fault
        return None

    def emptied(self, request: str, answer: Any) -> Any:
        """``answer``, or one that holds nothing, if such a fault waits."""
        if self.meet(request, ("empty",)) is None:
            return answer
        if isinstance(answer, dict) and "data" in answer:
            return {**answer, "data": []}
        return [] if isinstance(answer, list) else answer

    def operation(self, op: Op) -> None:
        """Raise, if an operation is to fail.

        :raises OpExecError: it is.
        :raises OpPrereqError: likewise, for want of resources.
        """
        name = str(op["OP_ID"])
        subject = f"{name}({op.get('instance_name') or op.get('network_name')})"
        if self.meet(name, ("fail",)) or self.meet(subject, ("fail",)):
            raise OpExecError("Failure on demand")
        if self.meet(name, ("full",)) or self.meet(subject, ("full",)):
            raise OpPrereqError("No room on demand", "temp_insufficient_resources")
