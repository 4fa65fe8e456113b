"""Amounts as people write them: ``10G``, ``1.5M``, ``inf``."""

from __future__ import annotations

from re import compile as pattern

from snfd.errors import Invalid
from snfd.quota.model import UNLIMITED

PREFIXES = "KMGTP"
STYLES = ("auto", "none", "b", "k", "m", "g", "t", "p")
"""How amounts of bytes are shown; ``none`` as plain numbers."""

_AMOUNT = pattern(r"([0-9]{1,25}(?:\.[0-9]{1,10})?)\s*([kmgtp])?(i?b)?")


def parse(text: str) -> int:
    """``text`` as a number; ``inf`` is no limit at all.

    :raises Invalid: it is no amount, no whole number, or too large.
    """
    text = text.strip().lower()
    if text in ("inf", "infinite", "unlimited"):
        return UNLIMITED
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise Invalid(f"{text!r} is no amount, such as 10, 1.5G, 200M or inf")
    digits, prefix = found[1], found[2]
    factor = 1024 ** (PREFIXES.lower().index(prefix) + 1) if prefix else 1
    whole, _, fraction = digits.partition(".")
    scale: int = 10 ** len(fraction)
    value, rest = divmod(int(whole + fraction) * factor, scale)
    if rest:
        raise Invalid(f"{text!r} is no whole number")
    if value > UNLIMITED:
        raise Invalid(f"{text!r} is too large; inf is no limit at all")
    return value


def shown(value: int, unit: str | None, style: str) -> str:
    """``value`` for people.

    :param unit: ``bytes`` gets a prefix; anything else is a count.
    :param style: one of `STYLES`.
    """
    if value >= UNLIMITED:
        return "inf"
    if unit != "bytes" or style == "none":
        return str(value)
    if style == "auto":
        power = 0
        while power < len(PREFIXES) and abs(value) >= 1024 ** (power + 1):
            power += 1
    else:
        power = 0 if style == "b" else PREFIXES.lower().index(style) + 1
    prefix = PREFIXES[power - 1] if power else "B"
    return f"{value / 1024**power:.2f}".rstrip("0").rstrip(".") + prefix
