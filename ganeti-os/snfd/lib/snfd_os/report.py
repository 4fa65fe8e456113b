"""Tells the daemon how a build goes; nothing depends on whether it listens."""

from __future__ import annotations

import sys
import time
from typing import Any

from snfd_os import Failure
from snfd_os.web import BROKEN, Web

_STEP = 5.0
"""Per cent between two messages of progress."""


class Reporter:
    """Sends messages, each once; after some in vain no more.

    :param url: where to; empty to print only.
    """

    def __init__(self, web: Web, url: str) -> None:
        self._web = web
        self._url = url
        self._lost = 0
        self._told = -_STEP

    def progress(self, done: int, size: int) -> None:
        """So many bytes of the image are written."""
        percent = 100.0 * done / size if size else 100.0
        if percent - self._told >= _STEP or done == size:
            self._told = percent
            self._send("image-copy-progress", progress=round(percent, 1))

    def note(self, level: str, text: str, details: str = "") -> None:
        """Something for the server's owner: ``info``, ``warning`` or ``error``."""
        print(f"{level}: {text}", file=sys.stderr, flush=True)
        self._send(f"image-{level}", messages=[text], stderr=details[-4000:])

    def task(self, name: str) -> None:
        """What begins now."""
        print(name, flush=True)
        self._send("image-helper", subtype="task-start", task=name)

    def _send(self, kind: str, **more: Any) -> None:
        if not self._url or self._lost >= 3:
            return
        try:
            self._web.post(self._url, {"type": kind, "event_time": time.time(), **more})
            self._lost = 0
        except (Failure, *BROKEN):
            self._lost += 1
