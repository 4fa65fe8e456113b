"""A self-made certificate for RAPI's TLS."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.internet.ssl import CertificateOptions

_DAY = datetime.timedelta(days=1)
_LIFE = 3650 * _DAY


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def make_pem(names: Sequence[str], now: datetime.datetime) -> bytes:
    """Key and certificate, in PEM, for servers of these names and addresses.

    A client can take it as its own authority. Valid for ten years.

    :param now: aware.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName(list(map(_name, names))), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(usage, False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)


def _options(pem: bytes) -> CertificateOptions:
    key: Any = serialization.load_pem_private_key(pem, None)
    public: Any = x509.load_pem_x509_certificate(pem)
    found: CertificateOptions = CertificateOptions(privateKey=key, certificate=public)
    return found


def certificate(
    data: Path | None, names: Sequence[str], now: datetime.datetime
) -> CertificateOptions:
    """TLS with the certificate in ``data``, made there at the first start.

    ``rapi.pem`` has key and certificate (0600), ``rapi-cert.pem`` what a
    client needs to trust it. Without ``data`` it lives as long as the process.
    """
    if data is None:
        return _options(make_pem(names, now))
    path = data / "rapi.pem"
    if not path.exists():
        pem = make_pem(names, now)
        half = path.with_suffix(".new")
        half.unlink(missing_ok=True)
        with open(
            os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
        ) as file:
            file.write(pem)
        half.rename(path)
    pem = path.read_bytes()
    public = x509.load_pem_x509_certificate(pem)
    (data / "rapi-cert.pem").write_bytes(
        public.public_bytes(serialization.Encoding.PEM)
    )
    return _options(pem)
