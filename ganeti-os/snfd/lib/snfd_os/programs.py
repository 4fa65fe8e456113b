"""Runs programs on a disk whose content somebody else made.

As root, they run as a user who owns nothing, to whom the one disk is lent
meanwhile: what a crafted partition table or file system makes of them stays there.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from snfd_os import Trouble

USERS = ("snfd-os", "nobody")
SECONDS = 900
"""What one program may take."""


def name(file: int) -> str:
    """The path of an open file, for a program that inherits it."""
    return f"/proc/self/fd/{file}"


def run(
    file: int,
    command: Sequence[str],
    given: bytes = b"",
    good: Sequence[int] = (0,),
    trusted: bool = False,
) -> bytes:
    """What a program prints that works on an open file.

    :param trusted: whether we made all that is in the file: then nobody else gets it.
    :param good: exit codes that are no trouble.
    :raises Trouble: it failed; its last words are the second argument.
    """
    with _lent(file, trusted) as before:
        try:
            done = subprocess.run(
                [*before, *command],
                input=given,
                pass_fds=[file],
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            kind = type(error).__name__
            raise Trouble(f"{command[0]} does not run ({kind})", "") from None
    if done.returncode not in good:
        words = done.stderr.decode(errors="replace")
        raise Trouble(f"{command[0]} failed ({done.returncode})", words)
    return done.stdout


@contextmanager
def _lent(file: int, trusted: bool) -> Iterator[list[str]]:
    """Lend a file to somebody else; the words with which commands become him."""
    if trusted or os.geteuid() != 0:
        yield []
        return
    user = _user()
    state = os.fstat(file)
    os.fchown(file, user.pw_uid, user.pw_gid)
    try:
        yield [
            "setpriv",
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
            "--no-new-privs",
            "--",
        ]
    finally:
        os.fchown(file, state.st_uid, state.st_gid)
        os.fchmod(file, state.st_mode & 0o7777)


def _user() -> pwd.struct_passwd:
    for each in USERS:
        try:
            return pwd.getpwnam(each)
        except KeyError:
            continue
    raise Trouble("there is no user nobody", "")
