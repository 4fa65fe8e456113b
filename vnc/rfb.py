"""The opening of RFB 3.3, 3.7 and 3.8 on both sides; bytes in, bytes out.

We are the client of a node's VNC server and the server of whoever came with a
ticket. Both handshakes end before ClientInit: from there on the two sides
understand each other. The rules are those of RFC 6143, section 7.1.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Generator

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from snfd.errors import Forbidden, Unavailable

GREETING = b"RFB 003.008\n"
NONE, VNC_AUTHENTICATION = 1, 2
CHALLENGE = 16
"""Length of a challenge and of its answer, in bytes."""
MAX_REASON = 4096
"""Longest reason of a refusal that we read, in bytes."""

_VERSION = re.compile(rb"RFB (\d{3})\.(\d{3})\n\Z")
_OK = b"\0\0\0\0"
_FAILED = b"\0\0\0\1"
_Script = Generator[int, bytes, None]


class RfbError(Unavailable):
    """The other side does not speak RFB, or will not speak it with us."""


class WrongPassword(Forbidden):
    """The client did not prove that it knows the one-time password."""


def answer(password: str, challenge: bytes) -> bytes:
    """The answer of VNC authentication to ``challenge``.

    Only the first eight bytes of the password count; the bits of each byte
    are taken in reverse order, as every VNC server does.
    """
    key = password.encode("latin-1", "replace")[:8].ljust(8, b"\0")
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(challenge) + encryptor.finalize()


class _Handshake:
    """Runs a script that asks for bytes by number and appends to ``_out``."""

    def __init__(self, first: bytes = b"") -> None:
        self._data = b""
        self._out = first
        self._script = self._run()
        self._wanted: int | None = next(self._script)

    @property
    def done(self) -> bool:
        """Whether the next byte belongs to ClientInit or after."""
        return self._wanted is None

    @property
    def rest(self) -> bytes:
        """What came after the handshake, or of the step not yet complete."""
        return self._data

    def feed(self, data: bytes) -> bytes:
        """Take ``data`` in; return what is to be sent now.

        :raises RfbError: this cannot go on; nothing more may be fed.
        :raises WrongPassword: likewise; `last_words` is still to be sent.
        """
        self._data += data
        while self._wanted is not None and len(self._data) >= self._wanted:
            step, self._data = self._data[: self._wanted], self._data[self._wanted :]
            try:
                self._wanted = self._script.send(step)
            except StopIteration:
                self._wanted = None
        return self.last_words()

    def last_words(self) -> bytes:
        """What is still to be sent, each byte once."""
        out, self._out = self._out, b""
        return out

    def _run(self) -> _Script:
        raise NotImplementedError


class NodeHandshake(_Handshake):
    """Our side of the handshake with a node's VNC server, which speaks first.

    :param password: what the server may ask for; None if we have none.
    """

    def __init__(self, password: str | None = None) -> None:
        self._password = password
        super().__init__()

    def _run(self) -> _Script:
        minor = _minor((yield len(GREETING)))
        self._out += b"RFB 003.%03d\n" % minor
        if minor == 3:
            kind = _number((yield 4))
            if kind == 0:
                yield from _refusal(with_reason=True)
            kind = self._choose([kind])
        else:
            kinds = yield from _kinds()
            kind = self._choose(kinds)
            self._out += bytes([kind])
        if kind == VNC_AUTHENTICATION:
            challenge = yield CHALLENGE  # before `+=`, which reads `_out` first
            self._out += answer(self._password or "", challenge)
        if (kind == VNC_AUTHENTICATION or minor == 8) and (yield 4) != _OK:
            yield from _refusal(with_reason=minor == 8)

    def _choose(self, kinds: list[int]) -> int:
        if self._password is not None and VNC_AUTHENTICATION in kinds:
            return VNC_AUTHENTICATION
        if NONE in kinds:
            return NONE
        offered = ", ".join(map(str, kinds))
        raise RfbError(f"the node's VNC server offers only security types {offered}")


class ClientHandshake(_Handshake):
    """The node's side of the handshake, played to the client by us.

    Without a password the only security type is None: the ticket was the
    authentication. Send `last_words` first: the server speaks first.

    :param password: one-time password to ask for; None to ask for nothing.
    :param challenge: 16 random bytes, used if there is a password.
    """

    def __init__(self, password: str | None = None, challenge: bytes = b"") -> None:
        self._password = password
        self._challenge = challenge
        super().__init__(GREETING)

    def _run(self) -> _Script:
        minor = _minor((yield len(GREETING)))
        kind = NONE if self._password is None else VNC_AUTHENTICATION
        if minor == 3:
            self._out += kind.to_bytes(4, "big")
        else:
            self._out += bytes([1, kind])
            if (yield 1) != bytes([kind]):
                raise RfbError("the client chose a security type that is not offered")
        if self._password is not None:
            self._out += self._challenge
            proof = yield CHALLENGE
            expected = answer(self._password, self._challenge)
            if not hmac.compare_digest(proof, expected):
                reason = b"wrong password"
                self._out += _FAILED
                if minor == 8:
                    self._out += len(reason).to_bytes(4, "big") + reason
                raise WrongPassword("the console's password was wrong")
        if minor == 8 or self._password is not None:
            self._out += _OK


def _minor(greeting: bytes) -> int:
    """The minor version that both sides speak: 3, 7 or 8."""
    match = _VERSION.match(greeting)
    if match is None:
        raise RfbError(f"not a greeting of RFB: {greeting!r}")
    version = int(match[1]), int(match[2])
    if version < (3, 3):
        raise RfbError(f"RFB {version[0]}.{version[1]} is too old")
    return next(minor for minor in (8, 7, 3) if version >= (3, minor))


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _kinds() -> Generator[int, bytes, list[int]]:
    """Read the security types on offer."""
    count = _number((yield 1))
    if count == 0:
        yield from _refusal(with_reason=True)
    return list((yield count))


def _refusal(with_reason: bool) -> _Script:
    """Read why the node refuses, and raise that."""
    reason = b"no reason given"
    if with_reason:
        length = _number((yield 4))
        if length > MAX_REASON:
            raise RfbError("the node's VNC server refuses at unreasonable length")
        reason = yield length
    text = reason.decode("utf-8", "replace")
    raise RfbError(f"the node's VNC server refuses: {text}")
