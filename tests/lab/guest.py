"""A small Linux for tests, made by ``make-guest.sh`` beside this file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).with_name("make-guest.sh")
TOOLS = ("qemu-system-x86_64", "busybox", "mcopy", "syslinux", "sfdisk", "cpio")


def missing() -> str | None:
    """Why a guest cannot be made and run here."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    lacking = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    return f"{', '.join(lacking)} missing" if lacking else None


def guest(place: Path) -> Path:
    """The disk of a small Linux, in a new file."""
    path = place / "guest.raw"
    subprocess.run(["bash", SCRIPT, path], check=True, capture_output=True)
    return path
