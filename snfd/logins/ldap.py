"""One conversation with an LDAP server: TLS, bind, search.

The wire is ldaptor's; here are the bounds, the checks of certificates, and
values that are put into a filter's tree and never into its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from attrs import frozen
from ldaptor.ldapfilter import parseFilter
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap import ldaperrors
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

MAX_ENTRIES = 1000
"""How many entries one search may bring."""

MAX_BUFFER = 4 * 1024 * 1024
"""Bytes of one answer."""

_MARK = "snfdmark"


@frozen
class Entry:
    """An entry: its attributes, by lower-case name."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]]


class Wire(LDAPClient):  # type: ignore[misc]
    """ldaptor's client, with bounds."""

    def dataReceived(self, recd: bytes) -> None:
        """Take bytes in; an answer without end ends the connection."""
        LDAPClient.dataReceived(self, recd)
        if len(self.buffer) > MAX_BUFFER:
            self.transport.abortConnection()

    async def start_tls(self, options: Any) -> None:
        """Speak TLS from now on; the certificate is checked as ``options`` says.

        :raises ldaperrors.LDAPException: the server does not want to.
        """
        answer = await self.send(pureldap.LDAPStartTLSRequest())
        _check(answer)
        self.transport.startTLS(options)

    async def log_in(self, dn: str, password: str) -> None:
        """Bind.

        :raises ldaperrors.LDAPException: the server refused.
        """
        request = pureldap.LDAPBindRequest(
            dn=dn.encode(), auth=password.encode("utf-8", "surrogatepass")
        )
        _check(await self.send(request))

    async def search(
        self, base: str, wanted: Any, attributes: Sequence[str], *, one: bool = False
    ) -> Sequence[Entry]:
        """What is at or below ``base`` and matches; references are not followed.

        :param one: ``base`` itself only.
        :raises ldaperrors.LDAPException: the server refused.
        """
        found: list[Entry] = []
        done: Deferred[None] = Deferred()
        request = pureldap.LDAPSearchRequest(
            baseObject=base.encode(),
            scope=pureldap.LDAP_SCOPE_baseObject
            if one
            else pureldap.LDAP_SCOPE_wholeSubtree,
            sizeLimit=MAX_ENTRIES,
            filter=wanted,
            attributes=[name.encode() for name in attributes],
        )
        lost = self.send_multiResponse(request, _collect, found, done)
        lost.addErrback(_unless_done, done)
        await done
        return found


def template(text: str) -> Any:
    """A filter with ``{…}`` in place of a value, for `filled`.

    :raises ValueError: it is no filter, or has no such place; each must be a
        whole value.
    """
    marked, places = re.subn(r"\{\w+\}", _MARK, text)
    if not places:
        raise ValueError(f"the filter {text!r} needs a {{name}}")
    try:
        parsed = parseFilter(marked)
    except Exception as error:
        raise ValueError(f"{text!r} is no LDAP filter: {error}") from None
    if _put(parsed, _MARK.encode()) != places:
        raise ValueError(f"in the filter {text!r} the name must be a whole value")
    return parseFilter(marked)


def filled(wanted: Any, value: str) -> Any:
    """A `template` with ``value`` in its places, whatever characters it has."""
    made = deepcopy(wanted)
    _put(made, value.encode("utf-8", "surrogatepass"))
    return made


def everything() -> Any:
    """The filter that every entry matches."""
    return parseFilter("(objectClass=*)")


def escaped_dn(value: str) -> str:
    """``value`` as it may stand in a DN (RFC 4514)."""
    data = value.encode("utf-8", "surrogatepass")
    return "".join(
        chr(c) if chr(c).isalnum() and c < 128 else f"\\{c:02x}" for c in data
    )


def _put(node: Any, value: bytes) -> int:
    """Put ``value`` into the marked place of a filter; how many there were."""
    if isinstance(node, pureldap.LDAPAttributeValueAssertion):
        held = node.assertionValue.value
        if held in (_MARK, _MARK.encode()):
            node.assertionValue = pureldap.LDAPAssertionValue(value)
            return 1
        return 0
    if isinstance(node, pureldap.LDAPFilter_extensibleMatch):
        if node.matchValue.value not in (_MARK, _MARK.encode()):
            return 0
        node.matchValue = pureldap.LDAPMatchingRuleAssertion_matchValue(value)
        return 1
    if isinstance(node, pureldap.LDAPFilterSet):
        return sum(_put(one, value) for one in node)
    return _put(node.value, value) if isinstance(node, pureldap.LDAPFilter_not) else 0


def _collect(answer: Any, found: list[Entry], done: Deferred[None]) -> bool:
    """Take one message of a search; whether it was the last."""
    if isinstance(answer, pureldap.LDAPSearchResultEntry):
        if len(found) <= MAX_ENTRIES:
            found.append(_entry(answer))
        return False
    if not isinstance(answer, pureldap.LDAPSearchResultDone):
        return False
    try:
        _check(answer)
    except ldaperrors.LDAPNoSuchObject:
        done.callback(None)
    except ldaperrors.LDAPException:
        done.errback(Failure())
    else:
        done.callback(None)
    return True


def _entry(answer: Any) -> Entry:
    attributes: dict[str, list[bytes]] = {}
    for name, values in answer.attributes:
        key = bytes(getattr(name, "value", name)).decode("utf-8", "replace").lower()
        attributes[key] = [bytes(getattr(one, "value", one)) for one in values]
    return Entry(bytes(answer.objectName).decode("utf-8", "replace"), attributes)


def _check(answer: Any) -> None:
    if answer.resultCode != ldaperrors.Success.resultCode:
        raise ldaperrors.get(answer.resultCode, answer.errorMessage)


def _unless_done(reason: Failure, done: Deferred[None]) -> None:
    if not done.called:
        done.errback(reason)
