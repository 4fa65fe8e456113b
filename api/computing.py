"""What both dialects of compute v2 are sent in the same words."""

from __future__ import annotations

from msgspec import Struct

Texts = dict[str, str]


class MetadataBody(Struct):
    """Metadata of a server: all of it, or what is added."""

    metadata: Texts


class MetaBody(Struct):
    """One metadata item."""

    meta: Texts


class NewKeypair(Struct):
    """A key pair to import, or (without ``public_key``) to make."""

    name: str
    public_key: str | None = None


class CreateKeypair(Struct):
    """Body of ``POST /os-keypairs``."""

    keypair: NewKeypair
