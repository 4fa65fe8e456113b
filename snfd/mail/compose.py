"""A letter as a message (RFC 5322): plain text in UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from attrs import frozen

from snfd.mail.model import Queued, message_id
from snfd.mail.port import Parcel
from snfd.mail.texts import Texts, one_line

MAX_PLAIN = 200
"""Characters of a line that is sent as it is; links stay whole."""


@frozen(eq=False)
class Composer:
    """Makes messages.

    :ivar sender: the From address; its domain is that of the Message-IDs.
    """

    texts: Texts
    sender: str

    def __call__(self, letter: Queued, values: Mapping[str, str]) -> Parcel:
        """The letter, always the same for the same letter.

        :raises Invalid: there is no text for it.
        """
        subject, body = self.texts.render(letter.kind, letter.language, values)
        to = on_the_wire(letter.to)
        message = EmailMessage(policy.SMTP.clone(utf8=not to.isascii()))
        message["From"] = self._named(self.sender)
        message["To"] = Address(addr_spec=to) if to.isascii() else to
        message["Subject"] = subject
        message["Date"] = format_datetime(letter.created)
        message["Message-ID"] = message_id(letter.event, letter.to, self._domain)
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(body, charset="utf-8", cte=_encoding(body))
        return Parcel(self.sender, to, message.as_bytes())

    @property
    def _domain(self) -> str:
        return self.sender.rpartition("@")[2]

    def _named(self, address: str) -> Address:
        return Address(one_line(self.texts.branding.service), addr_spec=address)


def on_the_wire(address: str) -> str:
    """``address`` with its domain as mail servers know it (RFC 3490)."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


def _encoding(body: str) -> str:
    """What every server lets through: seven bits, short lines."""
    plain = body.isascii() and max(map(len, body.split("\n"))) <= MAX_PLAIN
    return "7bit" if plain else "quoted-printable"
