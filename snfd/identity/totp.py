"""One-time codes by time: RFC 6238 with SHA-1, six digits, thirty seconds.

That is what every authenticator app understands.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from collections.abc import Callable
from hmac import compare_digest
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

STEP = 30
"""How long a code is shown, in seconds."""

DRIFT = 1
"""By how many steps a phone's clock may be wrong."""

DIGITS = 6
SEED = 20
"""Length of a seed, in bytes."""

RECOVERY = 10
"""How many recovery codes there are, and how many bytes each has."""


def step_of(seconds: float) -> int:
    """The step that ``seconds`` after 1970 belong to."""
    return int(seconds // STEP)


def code(seed: bytes, step: int) -> str:
    """The code of ``step``."""
    # what apps know; an HMAC needs no hash without collisions
    return HOTP(seed, DIGITS, SHA1()).generate(step).decode()  # noqa: S303


def matching(seed: bytes, given: str, seconds: float, after: int) -> int | None:
    """The step around ``seconds`` whose code was ``given``; None for none.

    :param after: codes of this step and of older ones were used.
    """
    digits = given.replace(" ", "").encode("utf-8", "surrogatepass")
    here = step_of(seconds)
    found = None
    for step in range(max(0, here - DRIFT), here + DRIFT + 1):
        if compare_digest(code(seed, step).encode(), digits) and step > after:
            found = step
    return found


def as_text(seed: bytes) -> str:
    """A seed as people type it into an app."""
    return b32encode(seed).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """The seed that `as_text` shows."""
    return b32decode(text + "=" * (-len(text) % 8))


def uri(seed: bytes, account: str, issuer: str) -> str:
    """What a QR code says, ``otpauth://totp/…``."""
    # as apps want it: a colon between issuer and account, blanks as %20
    label = f"{quote(issuer)}:{quote(account)}"
    facts = {
        "secret": as_text(seed),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": STEP,
    }
    return f"otpauth://totp/{label}?{urlencode(facts, quote_via=quote)}"


def recovery_code(random: Callable[[int], bytes]) -> str:
    """A new recovery code, ``abcd-efgh-ijkl-mnop``."""
    text = b32encode(random(RECOVERY)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def plain(recovery: str) -> str:
    """A recovery code as it is hashed, however it was typed."""
    return "".join(recovery.split()).replace("-", "").lower()
