"""What a measurement prints: ratios, costs and goals, one a line."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def ratio(name: str, ours: Sequence[float], peers: Sequence[float]) -> float:
    """Print and return the median of the rounds' ratios ours ÷ peer.

    Both are throughputs of interleaved rounds, in the same unit and order.
    """
    value = median(one / other for one, other in zip(ours, peers, strict=True))
    print(f"ratio {name} {value:.2f}", flush=True)
    return value


def cost(name: str, value: float, unit: str) -> None:
    """Print what something takes, in ``unit``."""
    print(f"cost {name} {value:.4g} {unit}", flush=True)


def goal(name: str, value: float, limit: float, *, at_least: bool) -> None:
    """Print whether ``value`` keeps to ``limit``; never fails."""
    kept = value >= limit if at_least else value <= limit
    print(f"goal {name} {value:.4g} {limit:g} {'ok' if kept else 'missed'}", flush=True)


def note(text: str) -> None:
    """Print a remark on how something was measured."""
    print(f"# {text}", flush=True)
