"""What a slapd needs to look like a domain of Active Directory."""

from __future__ import annotations

from base64 import b64encode
from uuid import UUID

from tests.lab.directory import BASE, PASSWORD

SCHEMA = """
attributetype ( 1.1.2.1.1 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.1.2.1.2 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.1.2.1.3 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.1.2.1.4 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.1.2.2.1 NAME 'user' SUP inetOrgPerson STRUCTURAL
  MUST ( sAMAccountName $ objectGUID $ userAccountControl )
  MAY userPrincipalName )
"""
"""Names and syntaxes are Microsoft's; matching rules as its servers apply them."""

NORMAL, DISABLED, NEVER_EXPIRES = 0x200, 0x2, 0x10000
"""Bits of ``userAccountControl``."""

ANNA = UUID("6c0b1a52-9d4e-4f3a-8e1b-2f3c4d5e6f70")
PRINTABLE = UUID(bytes_le=b"looks like text!")
"""One whose bytes happen to be text."""


def person(name: str, guid: UUID, control: int = NORMAL, folder: str = "staff") -> str:
    """An entry: ``Name`` is called ``name`` and ``name@corp.example.org``."""
    return f"""
dn: cn={name.title()},ou={folder},{BASE}
objectClass: user
cn: {name.title()}
sn: Person
givenName: {name.title()}
sAMAccountName: {name}
userPrincipalName: {name}@corp.example.org
objectGUID:: {b64encode(guid.bytes_le).decode()}
userAccountControl: {control}
mail: {name}@example.org
userPassword: {PASSWORD}
"""


ENTRIES = f"""
dn: ou=staff,{BASE}
objectClass: organizationalUnit
ou: staff

dn: ou=sales,{BASE}
objectClass: organizationalUnit
ou: sales
{person("berta", ANNA, NORMAL | NEVER_EXPIRES)}
{person("tex", PRINTABLE)}
{person("dora", UUID(int=4), NORMAL | DISABLED)}
dn: ou=elsewhere,{BASE}
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/dc=elsewhere,dc=example,dc=org

dn: cn=engineers,ou=groups,{BASE}
objectClass: groupOfNames
cn: engineers
member: cn=Berta,ou=staff,{BASE}
"""
"""People, a disabled one among them, and a reference to another domain."""


def added(entry: str) -> str:
    """A `person` as a change to a directory that is running."""
    first, _, rest = entry.lstrip().partition("\n")
    return f"{first}\nchangetype: add\n{rest}"
