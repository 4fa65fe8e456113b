"""What pools of MAC prefixes and bridges hold; pure (``spec/cyclades.md`` §5.6)."""

from __future__ import annotations

import re

from snfd.errors import Invalid


def mac_prefixes(base: str, size: int) -> list[tuple[str, bool]]:
    """The prefixes that follow ``base``, each with whether it is never given out.

    The first stays with networks that have none of their own; what is multicast
    or assigned to a maker of network cards is nobody's.

    :raises Invalid: ``base`` is no prefix, or there are not so many.
    """
    if not _PREFIX.fullmatch(base):
        raise Invalid(f"a MAC prefix looks like aa:00:0, not {base!r}")
    first = int(base.replace(":", ""), 16)
    if not 1 <= size <= 1 << 16 or first + size > 1 << 20:
        raise Invalid("a pool holds 1 to 65536 prefixes, up to ff:ff:f")
    return [
        (_prefix(first + index), index == 0 or (first + index) >> 12 & 3 != 2)
        for index in range(size)
    ]


_PREFIX = re.compile(r"[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]")


def _prefix(number: int) -> str:
    digits = f"{number:05x}"
    return f"{digits[:2]}:{digits[2:4]}:{digits[4]}"


def bridges(base: str, size: int) -> list[tuple[str, bool]]:
    """The bridges ``base1`` to ``base<size>``; none is kept back.

    :raises Invalid: no network device can be called so, or there are too many.
    """
    if not 1 <= size <= 4096:
        raise Invalid("a pool holds 1 to 4096 bridges")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", base):
        raise Invalid(f"no bridge can be called {base!r}")
    if len(f"{base}{size}") > 15:
        raise Invalid("the name of a network device has at most 15 characters")
    return [(f"{base}{index}", False) for index in range(1, size + 1)]
