"""Key pairs: public keys that new servers accept."""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode
from collections.abc import Sequence
from uuid import UUID

from attrs import frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
)

from snfd.compute.model import Keypair
from snfd.compute.store import keypairs as store
from snfd.db.port import Database, Transaction
from snfd.errors import Conflict, Invalid, NotFound, OverQuota
from snfd.identity.model import Caller, require_writer

MAX_KEYS = 10
MAX_SIZE = 30_000
"""Characters of a public key."""
_NAME = re.compile(r"[\x20-\x7e]{1,255}\Z")


def fingerprint(content: str) -> str:
    """MD5 of the key, in the form with colons.

    :raises Invalid: it is no OpenSSH public key.
    """
    if len(content) > MAX_SIZE:
        raise Invalid(f"a public key has at most {MAX_SIZE} characters")
    try:
        text = content.strip().encode("ascii")
        load_ssh_public_key(text)
        raw = b64decode(text.split()[1], validate=True)
    except (ValueError, IndexError, UnsupportedAlgorithm, binascii.Error):
        raise Invalid("public_key is no OpenSSH public key") from None
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return ":".join(digest[n : n + 2] for n in range(0, 32, 2))


def generated() -> tuple[str, str]:
    """A new ed25519 key: the private part in OpenSSH's form, and the public."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), public.decode()


@frozen(eq=False)
class Keypairs:
    """A user's key pairs; nobody else sees them.

    A token that was made for one project alone knows only those that such
    tokens made in that project.
    """

    db: Database

    async def list(self, caller: Caller) -> Sequence[Keypair]:
        """All of the caller's, by name."""
        return await store.listed(self.db, *whose(caller))

    async def show(self, caller: Caller, name: str) -> Keypair:
        """One of the caller's.

        :raises NotFound: there is none of that name.
        """
        found = await store.find(self.db, *whose(caller), name)
        if found is None:
            raise NotFound(f"there is no key pair {name!r}")
        return found

    async def create(
        self, caller: Caller, name: str, public_key: str | None
    ) -> tuple[Keypair, str | None]:
        """Import a public key, or (None) make a pair.

        :returns: the key pair, and the private key if it was made here; it is
            not kept.
        :raises Invalid: the name is not printable, or the key no key.
        :raises Conflict: there is one of that name.
        :raises OverQuota: the caller has the most that is allowed.
        :raises Forbidden: the token is for one project, and only reads there.
        """
        _check_writes(caller)
        if not _NAME.match(name) or name != name.strip():
            raise Invalid("a key pair's name has 1 to 255 printable ASCII characters")
        private = None
        if public_key is None:
            private, public_key = generated()
        mark = fingerprint(public_key)
        made = await self.db.run(self._create, caller, name, public_key, mark)
        return made, private

    async def _create(
        self, tx: Transaction, caller: Caller, name: str, content: str, mark: str
    ) -> Keypair:
        made = await store.insert(tx, *whose(caller), name, content, mark, MAX_KEYS)
        if made is not None:
            return made
        if await store.named(tx, caller.user, name):
            raise Conflict(f"key pair {name!r} exists already")
        raise OverQuota(
            f"at most {MAX_KEYS} key pairs", resource="key_pairs",
            limit=MAX_KEYS, usage=MAX_KEYS, requested=1,
        )  # fmt: skip

    async def delete(self, caller: Caller, name: str) -> None:
        """Remove a key pair; servers keep it.

        :raises NotFound: there is none of that name.
        :raises Forbidden: as `create`.
        """
        _check_writes(caller)
        if not await self.db.run(store.delete, *whose(caller), name):
            raise NotFound(f"there is no key pair {name!r}")


def whose(caller: Caller) -> tuple[UUID, UUID | None]:
    """The user, and the project where the token knows no others."""
    return caller.user, caller.project if caller.confined else None


def _check_writes(caller: Caller) -> None:
    if caller.confined:
        require_writer(caller)
