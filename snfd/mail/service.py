"""Posting letters inside the transactions of others."""

from __future__ import annotations

import msgspec
from attrs import frozen

from snfd.db.port import Transaction
from snfd.mail import store
from snfd.mail.model import Letter
from snfd.observe import request_id
from snfd.sealed import MAIL, Sealer


@frozen(eq=False)
class Post:
    """The letter box: what is put in it is sent once, after the commit."""

    sealer: Sealer

    async def put(self, tx: Transaction, letter: Letter) -> None:
        """Have ``letter`` sent once ``tx`` commits.

        Another letter of the same event to the same address changes nothing.
        """
        words = msgspec.json.encode(dict(letter.values))
        row = f"{letter.event}/{letter.to}"
        await store.insert(
            tx,
            letter,
            self.sealer.seal(words, *MAIL.at(row)),
            request_id() or None,
        )
