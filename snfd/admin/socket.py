"""Where the daemon's admin socket is, for both ends of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from attrs import define, field

NAME = "snfd.sock"
ROOT_UID = 0
LONGEST = 100
"""Bytes of a path that a socket's address holds for certain."""


@define(eq=False)
class SocketPlace:
    """The socket of one data directory.

    :ivar var: the directory; its path may be longer than sockets' addresses.
    """

    var: Path
    _folder: int | None = field(init=False, default=None)

    @property
    def path(self) -> Path:
        """The socket's file."""
        return self.var.absolute() / NAME

    def address(self) -> str:
        """What to bind or connect to; good until `close`.

        :raises OSError: there is no such directory.
        """
        plain = str(self.path)
        if len(os.fsencode(plain)) <= LONGEST:
            return plain
        if self._folder is None:
            self._folder = os.open(self.var, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{NAME}"

    def connected(self, seconds: float) -> socket.socket:
        """A connection to the daemon.

        :param seconds: how long each step of a conversation may take.
        :raises OSError: nobody listens, or we may not connect.
        """
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(seconds)
            made.connect(self.address())
        except BaseException:
            made.close()
            raise
        return made

    def answers(self) -> bool:
        """Whether somebody listens."""
        try:
            self.connected(1.0).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give back what `address` needed."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None
