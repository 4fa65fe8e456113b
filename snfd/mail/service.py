"""Posting letters inside the transactions of others."""

from __future__ import annotations

import msgspec
from attrs import frozen
from twisted.logger import Logger

from snfd.db.port import Transaction
from snfd.errors import Invalid
from snfd.mail import store
from snfd.mail.model import Letter, checked_address
from snfd.observe import request_id
from snfd.sealed import MAIL, Sealer


@frozen(eq=False)
class Post:
    """The letter box: what is put in it is sent once, after the commit."""

    sealer: Sealer
    _log = Logger()

    async def put(self, tx: Transaction, letter: Letter) -> None:
        """Have ``letter`` sent once ``tx`` commits.

        Another letter of the same event to the same address changes nothing,
        and one to what is no address is only told of in the log: what it tells
        of must not fail for it.
        """
        try:
            checked_address(letter.to)
        except Invalid as error:
            self._log.warn(
                "no letter of {event}: {why}", event=letter.event, why=error.message
            )
            return
        words = msgspec.json.encode(dict(letter.values))
        row = f"{letter.event}/{letter.to}"
        await store.insert(
            tx,
            letter,
            self.sealer.seal(words, *MAIL.at(row)),
            request_id() or None,
        )
