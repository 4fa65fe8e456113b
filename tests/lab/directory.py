"""A real slapd with a few people in it, on loopback; gone afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lab.ports import free_port

SLAPD = "/usr/sbin/slapd"
BASE = "dc=example,dc=org"
READER = f"cn=reader,{BASE}"
READERS_PASSWORD = "look-only"
PASSWORD = "open sesame é"

_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
{schema}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {var}/slapd.pid
TLSCertificateFile {var}/cert.pem
TLSCertificateKeyFile {var}/key.pem
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root
directory {var}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by self read by anonymous auth by * none
"""

_PEOPLE = """
dn: {base}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {reader}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {readers_password}

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: uid=anna,ou=people,{base}
objectClass: inetOrgPerson
uid: anna
cn: Anna Ampère
sn: Ampère
givenName: Anna
mail: Anna@example.org
userPassword: {password}

dn: uid=b(o)b*,ou=people,{base}
objectClass: inetOrgPerson
uid: b(o)b*
cn: Bob
sn: Odd
mail: bob@example.org
userPassword: {password}

dn: uid=twin,ou=people,{base}
objectClass: inetOrgPerson
uid: twin
cn: One
sn: One
userPassword: {password}

dn: cn=two,ou=people,{base}
objectClass: inetOrgPerson
uid: twin
cn: two
sn: Two
userPassword: {password}

dn: ou=groups,{base}
objectClass: organizationalUnit
ou: groups

dn: cn=operators,ou=groups,{base}
objectClass: groupOfNames
cn: operators
member: uid=anna,ou=people,{base}

dn: cn=admin,ou=groups,{base}
objectClass: groupOfNames
cn: admin
member: uid=anna,ou=people,{base}
"""


def missing() -> str | None:
    """Why there is no slapd; with ``CI=true`` there must be."""
    if os.environ.get("CI") == "true" or Path(SLAPD).exists():
        return None
    return "slapd is not installed"


@frozen
class Directory:
    """A running slapd.

    :ivar ca: file with its own certificate, for ``localhost`` and ``127.0.0.1``.
    """

    var: Path
    plain: int
    tls: int

    @property
    def ca(self) -> Path:
        return self.var / "cert.pem"

    def change(self, ldif: str) -> None:
        """Change entries, as ``ldapmodify`` takes it."""
        subprocess.run(
            ["/usr/sbin/slapmodify", "-f", str(self.var / "slapd.conf")],
            input=ldif.encode(), check=True, capture_output=True,
        )  # fmt: skip


@contextmanager
def running(schema: str = "", more: str = "") -> Iterator[Directory]:
    """A slapd that answers, with ``anna`` and others; ends with the block.

    :param schema: further lines of its configuration.
    :param more: further entries, as LDIF.
    """
    with tempfile.TemporaryDirectory(prefix="snfd-slapd-") as folder:
        var = Path(folder)
        (var / "data").mkdir()
        values = {"var": var, "base": BASE, "reader": READER}
        (var / "slapd.conf").write_text(_CONF.format(**values, schema=schema))
        certificate(var)
        people = _PEOPLE.format(
            **values, readers_password=READERS_PASSWORD, password=PASSWORD
        )
        subprocess.run(
            ["/usr/sbin/slapadd", "-f", str(var / "slapd.conf")],
            input=(people + more).encode(), check=True, capture_output=True,
        )  # fmt: skip
        found = Directory(var, free_port(), free_port())
        urls = f"ldap://127.0.0.1:{found.plain} ldaps://127.0.0.1:{found.tls}"
        process = subprocess.Popen(
            [SLAPD, "-f", str(var / "slapd.conf"), "-h", urls, "-d", "0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _await(found.plain, process)
            yield found
        finally:
            process.terminate()
            process.wait(20)


def certificate(folder: Path) -> None:
    """Write ``cert.pem`` and ``key.pem``, for this machine's loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"slapd ended with {process.returncode}")
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("slapd did not start to answer")
