"""Secrets that are handed out once, as text, and stored only as a hash."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256


def text(raw: bytes) -> str:
    """``raw`` as a client gets it: URL-safe, 43 characters for 32 bytes."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def mint(random: Callable[[int], bytes], size: int = 32) -> str:
    """A new secret of ``size`` random bytes.

    It does not start with a hyphen, which command lines take for an option.
    """
    made = "-"
    while made.startswith("-"):
        made = text(random(size))
    return made


def digest(secret: str) -> bytes:
    """What is stored of a secret: its sha256, 32 bytes."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
