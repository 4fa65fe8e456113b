"""``/branding``: names, links, colours and pictures."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from api.branding.images import Image
from api.operations import Answer, Reply, operation
from snfd.config import BrandingSection
from snfd.errors import NotFound

_KEPT = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
_INERT = {**_KEPT, "Content-Security-Policy": "sandbox; default-src 'none'"}


class Named(Struct, forbid_unknown_fields=True):
    """A name and where it leads; an empty URL leads nowhere."""

    name: str
    url: str


class Pictures(Struct, forbid_unknown_fields=True):
    """Paths of pictures on this host; null where the pages have their own."""

    logo: str | None
    logo_dark: str | None
    favicon: str | None


class Colours(Struct, forbid_unknown_fields=True):
    """Accents, ``#rrggbb``; null where the pages have their own."""

    light: str | None
    dark: str | None


class BrandingView(Reply):
    """What pages show of whose cloud it is.

    :ivar contact: an e-mail address, or an empty string.
    :ivar footer: plain text.
    :ivar copyright: null where none is to be shown.
    """

    service: Named
    company: Named
    contact: str
    footer: str
    copyright: str | None
    colours: Colours
    images: Pictures


class BrandingApi:
    """The cloud's looks, for everybody."""

    def __init__(
        self, chosen: BrandingSection, site: str, images: Mapping[str, Image]
    ) -> None:
        self._images = {image.name: image for image in images.values()}
        paths = {name: f"/branding/images/{one.name}" for name, one in images.items()}
        self._view = BrandingView(
            Named(chosen.service, site),
            Named(chosen.company, chosen.company_url),
            chosen.contact,
            chosen.footer,
            _copyright(chosen),
            Colours(chosen.colour or None, chosen.colour_dark or None),
            Pictures(paths.get("logo"), paths.get("logo-dark"), paths.get("favicon")),
        )

    @operation("GET", "/config.json", auth=False)
    async def config(self) -> Answer[BrandingView]:
        """Show names, links, colours and pictures."""
        return Answer(self._view, headers=_KEPT)

    @operation("GET", "/images/<name>", auth=False)
    async def image(self, name: str) -> Answer[bytes]:
        """Show a picture of the operator's."""
        found = self._images.get(name)
        if found is None:
            raise NotFound("there is no such picture")
        return Answer(found.content, headers={**_INERT, "Content-Type": found.kind})


def _copyright(chosen: BrandingSection) -> str | None:
    if not chosen.show_copyright:
        return None
    return chosen.copyright or (f"© {chosen.company}" if chosen.company else None)
