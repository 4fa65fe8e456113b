"""A QEMU with a VNC server on a port of its own choosing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

QEMU = shutil.which("qemu-system-x86_64")
MISSING = (
    None
    if QEMU or os.environ.get("CI") == "true"
    else "qemu-system-x86_64 is not installed"
)


class Qemu:
    """Runs until `stop`; the screen is on 127.0.0.1.

    :ivar port: of the VNC server.
    """

    def __init__(
        self, *options: str, password: str | None = None, paused: bool = True
    ) -> None:
        vnc = "vnc=127.0.0.1:0,to=999"
        secret: Sequence[str] = ()
        if password is not None:
            vnc += ",password-secret=vnc"
            secret = ("-object", f"secret,id=vnc,data={password}")
        assert QEMU is not None
        self._process = subprocess.Popen(
            [
                *(QEMU, "-nodefaults", "-accel", "tcg", "-m", "128", "-vga", "std"),
                *("-qmp", "stdio", *secret, "-display", vnc),
                *(("-S",) if paused else ()),
                *options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._read()
        self.ask("qmp_capabilities")
        self.port = int(self.ask("query-vnc")["service"])

    def ask(self, command: str, **arguments: object) -> Any:
        """What QMP answers to ``command``."""
        assert self._process.stdin is not None
        request = {"execute": command, "arguments": arguments}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        while "return" not in (answer := self._read()):
            assert "error" not in answer, answer
        return answer["return"]

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "QEMU ended"
        return json.loads(line)


def started(cleanup: Callable[[Callable[[], None]], object], **more: Any) -> Qemu:
    """A QEMU that ends with the test."""
    qemu = Qemu(**more)
    cleanup(qemu.stop)
    return qemu
