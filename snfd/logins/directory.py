"""Login by a directory: LDAP servers, Active Directory.

The person is found by a search (or his DN follows from his name), and then
must be able to bind with his password.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from attrs import define, field
from ldaptor.protocols.ldap import ldaperrors
from OpenSSL.SSL import Error as TLSError
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.endpoints import (
    HostnameEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.logger import Logger

from snfd.errors import Invalid, Unauthorized, Unavailable
from snfd.identity.proof import REFUSED
from snfd.logins.directory_table import DirectoryTable
from snfd.logins.fetch import said
from snfd.logins.ldap import (
    Entry,
    Wire,
    escaped_dn,
    everything,
    filled,
    template,
)
from snfd.logins.model import MAX_IDENTIFIER, Claims, Method
from snfd.logins.settings import Field, secret
from snfd.trust import policy_of_file

AT_ONCE = 8
GUID = "objectguid"
WAITING = 64
"""Logins that may wait for one of `AT_ONCE` connections."""

ATTRIBUTES: Mapping[Field, str] = {
    "email": "mail",
    "first_name": "givenName",
    "last_name": "sn",
}


@define(eq=False)
class Directory:
    """Asks an LDAP server; see `Form`.

    :ivar password: of whoever searches.
    :ivar tls: checks the server's certificate; None for no TLS.
    :ivar wrapped: whether TLS starts before LDAP does.
    """

    table: DirectoryTable
    method: Method
    password: str = field(repr=False)
    reactor: Any
    host: str
    port: int
    tls: Any
    wrapped: bool
    _person: Any
    _group: Any
    _gate: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE))
    _log = Logger()

    @classmethod
    def of(cls, table: DirectoryTable, reactor: Any) -> Directory:
        """The method of ``table``.

        :raises Invalid: it does not say enough, or contradicts itself.
        """
        name = table.method.name
        try:
            parts = urlsplit(table.url)
            host = (parts.hostname or "").encode("idna")
            port = parts.port or {"ldap": 389, "ldaps": 636}[parts.scheme]
            person, group = template(table.filter), template(table.group_filter)
        except (KeyError, ValueError) as error:
            raise Invalid(f"login {name}: {error}") from None
        if not parts.hostname:
            raise Invalid(f"login {name}: url names no host")
        if bool(table.dn) == bool(table.base) or (
            table.dn and "{name}" not in table.dn
        ):
            raise Invalid(f"login {name} needs base, or dn with a {{name}} in it")
        wrapped = parts.scheme == "ldaps"
        tls = None
        if wrapped or table.starttls:
            tls = policy_of_file(
                table.tls_ca, f"login {table.name or table.kind}: tls_ca"
            ).creatorForNetloc(host, port)
        return cls(
            table,
            table.method,
            secret(
                table.bind_password, table.bind_password_file, f"{name}'s bind_password"
            ),
            reactor,
            parts.hostname,
            port,
            tls,
            wrapped,
            person,
            group,
        )

    async def check(self, name: str, password: str) -> Claims:
        """See `Form.check`."""
        # an empty password would bind as nobody, and succeed
        if not password or not name or len(name) > MAX_IDENTIFIER:
            raise Unauthorized(REFUSED)
        if len(self._gate.waiting) >= WAITING:
            raise Unavailable("too many logins at once", retry_after=2)
        work = Deferred.fromCoroutine(self._admitted(name, password))
        try:
            return await work.addTimeout(self.table.timeout, self.reactor)
        except (
            TooLate, CancelledError, ConnectError, ConnectingCancelledError,
            ConnectionClosed, DNSLookupError,
            TLSError,
        ) as error:  # fmt: skip
            self._log.warn(
                "{method}'s server did not answer: {error}",
                method=self.method.name,
                error=said(error, self.table.timeout),
            )
            raise Unavailable(
                f"{self.method.title} does not answer", retry_after=10
            ) from None

    async def _admitted(self, name: str, password: str) -> Claims:
        await self._gate.acquire()
        try:
            wire = await self._connected()
            try:
                return await self._asked(wire, name, password)
            finally:
                wire.transport.abortConnection()
        finally:
            self._gate.release()

    async def _connected(self) -> Wire:
        endpoint: Any = HostnameEndpoint(
            self.reactor, self.host, self.port, self.table.timeout
        )
        if self.wrapped:
            endpoint = wrapClientTLS(self.tls, endpoint)
        wire: Wire = await connectProtocol(endpoint, Wire())
        if self.tls is not None and not self.wrapped:
            try:
                await wire.start_tls(self.tls)
            except BaseException:
                wire.transport.abortConnection()
                raise
        return wire

    async def _asked(self, wire: Wire, name: str, password: str) -> Claims:
        try:
            if self.table.dn:
                dn = self.table.dn.replace("{name}", escaped_dn(name))
                await self._bind(wire, dn, password)
                return await self._claims(wire, await self._entry(wire, dn))
            await self._bind_searcher(wire)
            entry = await self._found(wire, name)
            if entry is None:
                # as many steps as for a wrong password
                await self._bind(wire, f"cn=nobody,{self.table.base}", password)
                raise Unauthorized(REFUSED)
            claims = await self._claims(wire, entry)
            await self._bind(wire, entry.dn, password)
        except ldaperrors.LDAPException as error:
            self._log.warn(
                "{method}'s server refused: {error}",
                method=self.method.name,
                error=str(error),
            )
            raise Unavailable(f"{self.method.title} refuses to answer") from None
        else:
            return claims

    async def _bind(self, wire: Wire, dn: str, password: str) -> None:
        try:
            await wire.log_in(dn, password)
        except (
            ldaperrors.LDAPInvalidCredentials, ldaperrors.LDAPNoSuchObject,
            ldaperrors.LDAPInvalidDNSyntax, ldaperrors.LDAPUnwillingToPerform,
            ldaperrors.LDAPInappropriateAuthentication,
        ):  # fmt: skip
            raise Unauthorized(REFUSED) from None

    async def _bind_searcher(self, wire: Wire) -> None:
        if self.table.bind_dn:
            await wire.log_in(self.table.bind_dn, self.password)

    async def _found(self, wire: Wire, name: str) -> Entry | None:
        """The one entry that the name means; None where that is unclear."""
        wanted = filled(self._person, name)
        entries = await wire.search(self.table.base, wanted, self._wanted())
        return entries[0] if len(entries) == 1 else None

    async def _entry(self, wire: Wire, dn: str) -> Entry:
        entries = await wire.search(dn, everything(), self._wanted(), one=True)
        if len(entries) != 1:
            raise Unauthorized(REFUSED)
        return entries[0]

    def _wanted(self) -> Sequence[str]:
        return [self.table.identifier, *self._words().values()]

    def _words(self) -> Mapping[Field, str]:
        return {**ATTRIBUTES, **self.table.attributes}

    async def _claims(self, wire: Wire, entry: Entry) -> Claims:
        values = entry.attributes.get(self.table.identifier.lower(), [])
        if len(values) != 1:
            self._log.warn(
                "{dn} has no single {attribute}, and so cannot log in",
                dn=entry.dn,
                attribute=self.table.identifier,
            )
            raise Unauthorized(REFUSED)
        fields: dict[str, str] = {}
        for name, word in self._words().items():
            told = entry.attributes.get(word.lower())
            if told:
                fields[name] = told[0].decode("utf-8", "replace")
        groups = await self._groups(wire, entry.dn)
        mirrored = frozenset(self.table.groups.values())
        return Claims(
            _identifier(self.table.identifier, values[0]),
            fields,
            "email" in fields,
            groups,
            mirrored,
        )

    async def _groups(self, wire: Wire, dn: str) -> frozenset[str] | None:
        """Those of our groups that the directory puts him into."""
        if not self.table.group_base or not self.table.groups:
            return None
        wanted, word = filled(self._group, dn), self.table.group_name
        entries = await wire.search(self.table.group_base, wanted, [word])
        names = {
            value.decode("utf-8", "replace")
            for one in entries
            for value in one.attributes.get(word.lower(), ())
        }
        return frozenset(
            ours for theirs, ours in self.table.groups.items() if theirs in names
        )


def _identifier(attribute: str, value: bytes) -> str:
    """An attribute as text; Active Directory's objectGUID as it is written."""
    if attribute.lower() == GUID and len(value) == 16:
        # also where its bytes happen to be text
        return str(UUID(bytes_le=value))
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if text and text.isprintable():
        return text[:MAX_IDENTIFIER]
    return value.hex()
