"""The operator's pictures, read once at start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from snfd.errors import Invalid

MAX_BYTES = 1 << 20
"""Size of one picture."""

NAMES = ("logo", "logo-dark", "favicon")

TYPES: Mapping[str, str] = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}


@frozen
class Image:
    """A picture.

    :ivar name: of its file, ``logo.svg``.
    :ivar kind: content type.
    """

    name: str
    kind: str
    content: bytes = field(repr=False)


def load(folder: Path | None) -> dict[str, Image]:
    """The pictures in ``folder`` by what they are for; other files do not matter.

    :raises Invalid: there is no such directory, or a picture is too big.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise Invalid(f"branding.images: there is no directory {folder}")
    found: dict[str, Image] = {}
    for path in sorted(folder.iterdir()):
        kind = TYPES.get(path.suffix)
        if path.stem in NAMES and kind is not None and path.is_file():
            if path.stat().st_size > MAX_BYTES:
                raise Invalid(f"{path} is bigger than {MAX_BYTES} bytes")
            found[path.stem] = Image(path.name, kind, path.read_bytes())
    return found
