"""Where each service is reached, in Synnefo's and in OpenStack's words.

Both lists come from one table each; an entry appears only while the part of
the daemon that serves it is enabled (decision 10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

from attrs import frozen

from snfd.config import Urls

_SPACE = UUID("5d3cf9e0-6a0a-4d3f-9d8e-6f1f4a1c7b2e")

REGION = "default"


@frozen
class _Synnefo:
    """One service of the v2.0 catalog.

    :ivar kind: what must be enabled.
    :ivar base: name of the component's base URL.
    """

    kind: str
    name: str
    type: str
    base: str
    path: str
    version: str


_SYNNEFO = (
    _Synnefo("identity", "astakos_account", "account", "astakos", "account", "v1.0"),
    _Synnefo("identity", "astakos_identity", "identity", "astakos", "identity", "v2.0"),
    _Synnefo(
        "weblogin", "astakos_weblogin", "astakos_weblogin", "astakos", "weblogin", ""
    ),
    _Synnefo("oauth2", "astakos_oauth2", "astakos_auth", "astakos", "oauth2", ""),
    _Synnefo("compute", "cyclades_compute", "compute", "cyclades", "compute", "v2.0"),
    _Synnefo("image", "cyclades_plankton", "image", "cyclades", "image", "v1.0"),
    _Synnefo("network", "cyclades_network", "network", "cyclades", "network", "v2.0"),
    _Synnefo("volume", "cyclades_volume", "volume", "cyclades", "volume", "v2.0"),
    _Synnefo("vmapi", "cyclades_vmapi", "vmapi", "cyclades", "vmapi", "v1.0"),
    _Synnefo(
        "objects", "pithos_object-store", "object-store", "pithos", "object-store", "v1"
    ),
)

_V3 = (
    ("identity", "identity", "keystone", "astakos", "identity/v3"),
    ("compute", "compute", "nova", "cyclades", "os/compute/v2.1"),
    ("network", "network", "neutron", "cyclades", "os/network"),
    ("image", "image", "glance", "cyclades", "os/image"),
    ("volume", "volumev3", "cinderv3", "cyclades", "os/volume/v3/{project}"),
    ("volume", "block-storage", "cinder", "cyclades", "os/volume/v3/{project}"),
    ("objects", "object-store", "swift", "pithos", "v1/AUTH_{project}"),
)
"""(kind, type, name, base, path) of the services in the v3 catalog."""

_OPENSTACK = tuple(
    (*row, uuid5(_SPACE, row[1]).hex, uuid5(_SPACE, f"{row[1]} endpoint").hex)
    for row in _V3
)
"""The same with the ids of service and endpoint."""

KINDS = frozenset({one.kind for one in _SYNNEFO} | {kind for kind, *_ in _OPENSTACK})
"""Everything that may be enabled."""


@frozen
class SynnefoEndpoint:
    """The one endpoint of a service in the v2.0 catalog.

    :ivar version: as in the URL, or an empty string for none.
    :ivar ui_url: the component's pages.
    :ivar weblogin_url: where to send a browser; only for weblogin.
    """

    name: str
    type: str
    url: str
    version: str
    region: str
    ui_url: str
    weblogin_url: str | None


@frozen
class OpenStackEndpoint:
    """The endpoint of a service in the v3 catalog.

    :ivar service: id of the service; :ivar id: id of the endpoint.
    """

    service: str
    id: str
    type: str
    name: str
    url: str
    region: str


@frozen(eq=False)
class Catalog:
    """Lists the endpoints of what is enabled.

    :ivar enabled: some of `KINDS`.
    """

    urls: Urls
    enabled: frozenset[str]
    region: str = REGION

    def synnefo(self) -> Sequence[SynnefoEndpoint]:
        """The v2.0 catalog: Synnefo's types, one endpoint each, in its order."""
        return [self._synnefo(one) for one in _SYNNEFO if one.kind in self.enabled]

    def openstack(self, project: UUID) -> Sequence[OpenStackEndpoint]:
        """The v3 catalog for a token of ``project``."""
        text = str(project)
        return [
            OpenStackEndpoint(
                service=service,
                id=endpoint,
                type=type_,
                name=name,
                url=f"{getattr(self.urls, base)}/{path.format(project=text)}",
                region=self.region,
            )
            for kind, type_, name, base, path, service, endpoint in _OPENSTACK
            if kind in self.enabled
        ]

    def identity(self, version: str) -> str:
        """URL of a version of the identity service, ``v3`` or ``v2.0``."""
        return f"{self.urls.astakos}/identity/{version}"

    def _synnefo(self, one: _Synnefo) -> SynnefoEndpoint:
        base = getattr(self.urls, one.base)
        url = "/".join(part for part in (base, one.path, one.version) if part)
        return SynnefoEndpoint(
            name=one.name,
            type=one.type,
            url=url,
            version=one.version,
            region=self.region,
            ui_url=f"{self.urls.astakos}/ui",
            weblogin_url=url if one.kind == "weblogin" else None,
        )


def only(kinds: Iterable[str]) -> frozenset[str]:
    """Those of ``kinds`` that a catalog can list."""
    return KINDS.intersection(kinds)
