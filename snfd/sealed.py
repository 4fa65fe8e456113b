"""Every column whose values are stored sealed, and the port that seals them.

A value opens only in the place for which it was sealed. A column that is not
in `SEALED` keeps its old key when keys change, and is lost with that.
"""

from __future__ import annotations

from typing import Protocol

from attrs import frozen


class Sealer(Protocol):
    """Seals what must be read back; `snfd.secrets.KeyRing`."""

    def seal(self, plain: bytes, table: str, column: str, row: str) -> bytes:
        """``plain`` encrypted for that place only."""

    def open(self, sealed: bytes, table: str, column: str, row: str) -> bytes:
        """What was sealed for that place.

        :raises Unavailable: no key fits, or the value was changed or moved.
        """


@frozen
class Column:
    """A column of sealed values.

    :ivar table: its qualified name.
    :ivar row: the column or SQL expression whose text names the row.
    """

    table: str
    name: str
    row: str

    def at(self, row: object) -> tuple[str, str, str]:
        """The place of one value, as a `Sealer` takes it."""
        return self.table, self.name, str(row)


CLUSTER_PASSWORD = Column("compute.cluster", "secret", "id")
REPORT_SECRET = Column("compute.cluster", "report_secret", "id")
LOGIN_PASSWORD = Column("compute.server_password", "sealed", "server")
WAITING_PASSWORD = Column("compute.server", "new_password", "id")
HANDOFF = Column("compute.handoff", "sealed", "server || '/' || purpose")
CONSOLE_PASSWORD = Column("compute.console_session", "password", "id")
MAIL = Column("ops.mail", "words", "event || '/' || recipient")
TOTP_SEED = Column("identity.totp", "secret", "user_id")
KEY_CHECK = Column("ops.key_check", "sealed", "id")
"""Sealed at the first start, to know the key file again; see `snfd.keycheck`."""

SEALED = (
    CLUSTER_PASSWORD,
    REPORT_SECRET,
    LOGIN_PASSWORD,
    WAITING_PASSWORD,
    HANDOFF,
    CONSOLE_PASSWORD,
    MAIL,
    TOTP_SEED,
    KEY_CHECK,
)
"""All of them."""
