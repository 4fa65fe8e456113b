"""Whom a server must prove to be: a CA's certificate, or one certificate.

Ganeti makes itself a certificate that names no host. Give such a cluster one
that does, or pin the one it has by its digest.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
)
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from snfd.errors import Invalid

_PIN = re.compile(r"sha256:((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})\Z", re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def policy(tls_ca: str | None) -> IPolicyForHTTPS:
    """Whom to believe.

    :param tls_ca: PEM of one or more CAs, or ``sha256:<hex>`` of the very
        certificate that must be shown; None: the system's CAs.
    :raises Invalid: it is neither.
    """
    if tls_ca is None:
        return _ByAuthority(platformTrust())
    if pin := _PIN.match(tls_ca.strip()):
        return _ByDigest(bytes.fromhex(pin[1].replace(":", "")))
    try:
        authorities = [Certificate.loadPEM(pem) for pem in _PEM.findall(tls_ca)]
    except crypto.Error as error:
        raise Invalid("tls_ca holds a certificate that cannot be read") from error
    if not authorities:
        raise Invalid("tls_ca must be certificates in PEM form or sha256:<64 hex>")
    return _ByAuthority(trustRootFromCertificates(authorities))


def policy_of_file(path: str, setting: str = "tls_ca") -> IPolicyForHTTPS:
    """Whom to believe, as a file says; see `policy`.

    :param path: empty for the system's CAs.
    :param setting: what names the file, for the message.
    :raises Invalid: it cannot be read, or holds neither.
    """
    if not path:
        return policy(None)
    try:
        text = Path(path).read_text()
    except (OSError, ValueError) as error:
        raise Invalid(f"{setting}: {error}") from None
    try:
        return policy(text)
    except Invalid as error:
        raise Invalid(f"{setting}: {path}: {error.message}") from None


@implementer(IPolicyForHTTPS)
class _ByAuthority:
    """Trusts what an authority signed for the host's name or address."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def creatorForNetloc(
        self, hostname: bytes, port: int
    ) -> IOpenSSLClientConnectionCreator:
        made: IOpenSSLClientConnectionCreator = optionsForClientTLS(
            hostname.decode("ascii"), trustRoot=self._root
        )
        return made


@implementer(IPolicyForHTTPS, IOpenSSLClientConnectionCreator)
class _ByDigest:
    """Trusts one certificate, whatever it names and whoever signed it."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest
        self._context = CertificateOptions().getContext()
        self._context.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify
        )

    def creatorForNetloc(
        self, hostname: bytes, port: int
    ) -> IOpenSSLClientConnectionCreator:
        return self

    def clientConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:
        return SSL.Connection(self._context, None)

    def _verify(
        self,
        connection: SSL.Connection,
        shown: crypto.X509,
        code: int,
        depth: int,
        good: int,
    ) -> bool:
        if depth > 0:
            return True
        der = crypto.dump_certificate(crypto.FILETYPE_ASN1, shown)
        return sha256(der).digest() == self._digest
