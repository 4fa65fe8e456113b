"""What documents of versions and resources say of where things are."""

from __future__ import annotations

from attrs import frozen

from api.operations import Reply


class Link(Reply):
    """Where something is, and how it relates to what holds the link."""

    rel: str
    href: str


class MediaType(Reply):
    """A representation that a version of an API offers."""

    base: str
    type: str


@frozen
class Links:
    """Makes the links of one mount.

    :ivar base: its URL with the version, no slash at the end.
    :ivar bookmark: the same for good: in nova's custom without the version.
    """

    base: str
    bookmark: str

    @classmethod
    def to(cls, origin: str, mount: str) -> Links:
        """Links to ``mount`` below ``origin``; its last segment is a version."""
        base = origin + mount
        return cls(base, base.rpartition("/")[0])

    def of(self, collection: str, ident: object) -> list[Link]:
        """``self`` and ``bookmark`` of an item."""
        return [
            Link("self", f"{self.base}/{collection}/{ident}"),
            Link("bookmark", f"{self.bookmark}/{collection}/{ident}"),
        ]

    def marked(self, collection: str, ident: object) -> list[Link]:
        """Only ``bookmark``, as nova has it for a server's flavor and image."""
        return self.of(collection, ident)[1:]
