"""Whether QEMU may use KVM here; pure but for reading what the kernel says."""

from __future__ import annotations

import os
from pathlib import Path

TCG = "tcg,tb-size=128"


def accelerator(option: str, root: Path = Path("/")) -> str:
    """QEMU's accelerator.

    :param option: "off", or "probe": KVM where a Linux boots with it.
    :param root: where ``/dev``, ``/proc`` and ``/sys`` are.
    """
    if option == "off" or not boots_linux(root):
        return TCG
    return "kvm"


def boots_linux(root: Path) -> bool:
    """Whether KVM has the processor's own support.

    ``kvm_pvm`` works without it, but boots only firmware: its emulator lacks
    instructions that boot loaders and stock kernels use.
    """
    modules = root / "sys/module"
    if (modules / "kvm_pvm").exists() or not os.access(root / "dev/kvm", os.W_OK):
        return False
    if not any((modules / name).exists() for name in ("kvm_intel", "kvm_amd")):
        return False
    flags = (root / "proc/cpuinfo").read_text().split()
    return "vmx" in flags or "svm" in flags
