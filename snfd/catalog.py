"""Where each service is reached, in Synnefo's and in OpenStack's words.

Both lists of this daemon's own services come from one table each; an entry
appears only while the part of the daemon that serves it is enabled (decision
10). Services of other programs, as they are registered, stand in both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID, uuid5

from attrs import evolve, frozen

from snfd.config import Urls
from snfd.registry.model import EXPOSE, Endpoint, Own, Service

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
    """An endpoint of a service in the v2.0 catalog; ours have one each.

    :ivar exposed: whether the URL ends in the version.
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
    exposed: bool = True


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


async def _nothing() -> Sequence[Service]:
    return ()


@frozen(eq=False)
class Catalog:
    """Lists the endpoints of what is enabled, and of what others serve.

    :ivar enabled: some of `KINDS`.
    :ivar registered: reads the services of other programs.
    :ivar others: those services, as far as this catalog knows them.
    """

    urls: Urls
    enabled: frozenset[str]
    region: str = REGION
    registered: Callable[[], Awaitable[Sequence[Service]]] = _nothing
    others: Sequence[Service] = ()

    async def current(self, others: bool = True) -> Catalog:
        """The catalog as it is now: others' services are read each time.

        Whoever registers one and looks finds it (``spec/astakos.md`` W34).

        :param others: whether there may be any; not, if whoever looked for a token
            just now saw none.
        """
        return evolve(self, others=await self.registered()) if others else self

    def own(self) -> Sequence[Own]:
        """What this daemon serves, for the registry."""
        return [
            Own(
                component=one.base,
                base_url=getattr(self.urls, one.base),
                name=one.name,
                type=one.type,
                version=one.version,
                url=self._synnefo(one).url,
            )
            for one in _SYNNEFO
            if one.kind in self.enabled
        ]

    def synnefo(self) -> Sequence[SynnefoEndpoint]:
        """The v2.0 catalog: Synnefo's types in its order, then others'.

        No type is there twice: clients take that for an error.
        """
        own = [self._synnefo(one) for one in _SYNNEFO if one.kind in self.enabled]
        types = {one.type for one in own}
        return own + [
            self._other(one, endpoint)
            for one in self.others
            if one.type not in types
            for endpoint in one.endpoints
        ]

    def openstack(self, project: UUID | str) -> Sequence[OpenStackEndpoint]:
        """The v3 catalog for a token of ``project``, or with text in its place."""
        return [*self._openstack(str(project)), *map(self._foreign, self._reachable())]

    def _openstack(self, text: str) -> Sequence[OpenStackEndpoint]:
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

    def _reachable(self) -> Sequence[Service]:
        return [one for one in self.others if one.endpoints]

    def _foreign(self, one: Service) -> OpenStackEndpoint:
        """Another program's service; of its endpoints the last, usually newest."""
        endpoint = one.endpoints[-1]
        return OpenStackEndpoint(
            service=uuid5(_SPACE, f"service {one.name}").hex,
            id=uuid5(_SPACE, f"service {one.name} endpoint").hex,
            type=one.type,
            name=one.name,
            url=str(endpoint["publicURL"]),
            region=self._region(endpoint),
        )

    def _other(self, one: Service, endpoint: Endpoint) -> SynnefoEndpoint:
        return SynnefoEndpoint(
            name=one.name,
            type=one.type,
            url=str(endpoint["publicURL"]),
            version=str(endpoint["versionId"]),
            region=self._region(endpoint),
            ui_url=one.ui_url or "",
            weblogin_url=None,
            exposed=endpoint.get(EXPOSE) is not False,
        )

    def _region(self, endpoint: Endpoint) -> str:
        region = endpoint.get("region")
        return region if isinstance(region, str) and region else self.region

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
