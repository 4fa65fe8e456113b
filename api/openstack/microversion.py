"""Which version of the compute API a request speaks: 2.1, and no other yet."""

from __future__ import annotations

import re
from collections.abc import Mapping

from twisted.web.iweb import IRequest

from snfd.errors import CloudError, Invalid

MOST = LEAST = (2, 1)
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\Z")
_SERVICE = "OpenStack-API-Version"
_NOVA = "X-OpenStack-Nova-API-Version"


class NotAcceptable(CloudError):
    """The client asks for a version of the API that is not served."""


def text(version: tuple[int, int]) -> str:
    """A version as it is written."""
    return f"{version[0]}.{version[1]}"


def chosen(asked: str | None) -> tuple[int, int]:
    """The version that answers a request for ``asked``; None for the oldest.

    :raises Invalid: it is no version.
    :raises NotAcceptable: it is not served.
    """
    if asked is None:
        return LEAST
    if asked == "latest":
        return MOST
    found = _VERSION.match(asked)
    if found is None:
        raise Invalid(f"{asked!r} is no version of the API: give MAJOR.MINOR")
    version = int(found[1]), int(found[2])
    if not LEAST <= version <= MOST:
        raise NotAcceptable(
            f"version {asked} of the API is not served: "
            f"{text(LEAST)} is the least, {text(MOST)} the most"
        )
    return version


def asked(headers: Mapping[str, str | None]) -> str | None:
    """The version that the headers ask for, or None.

    A header for all services may name several, ``compute 2.1, volume 3.0``.
    """
    for part in (headers.get(_SERVICE) or "").split(","):
        service, _, version = part.strip().partition(" ")
        if service == "compute":
            return version.strip()
    nova = headers.get(_NOVA)
    return nova.strip() if nova else None


def negotiated(request: IRequest) -> Mapping[str, str]:
    """Headers of the answer, naming the version that it speaks.

    :raises Invalid: the request asks for something that is no version.
    :raises NotAcceptable: it asks for a version that is not served.
    """
    given = {name: request.getHeader(name) for name in (_SERVICE, _NOVA)}
    version = text(chosen(asked(given)))
    return {
        _SERVICE: f"compute {version}",
        _NOVA: version,
        "Vary": f"X-Auth-Token, {_SERVICE}, {_NOVA}",
    }
