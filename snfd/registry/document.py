"""Service definitions: what components publish, checked and completed.

Source: ``spec/astakos.md`` §1.2. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from attrs import frozen
from msgspec import UNSET, Meta, Struct, UnsetType

from snfd.errors import Invalid
from snfd.quota.model import UNLIMITED, Resource
from snfd.registry.model import (
    EXPOSE,
    MAX_URL,
    Endpoint,
    Scalar,
    check_url,
    joined,
)

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
Text = Annotated[str, Meta(max_length=1000)]


class ResourceDocument(Struct):
    """A resource that a service accounts for."""

    name: Name
    service_type: Name
    service_origin: Name
    desc: Text = ""
    unit: Annotated[str, Meta(min_length=1, max_length=50)] | None = None
    ui_visible: bool | UnsetType = UNSET
    api_visible: bool = True

    def resource(self) -> Resource:
        """With the defaults of a resource that nobody knew before.

        :raises Invalid: shown to people but not to programs.
        """
        shown = self.api_visible if self.ui_visible is UNSET else self.ui_visible
        if shown and not self.api_visible:
            raise Invalid(f"{self.name}: ui_visible needs api_visible")
        return Resource(
            self.name,
            self.desc,
            self.unit,
            self.service_type,
            self.service_origin,
            system_default=UNLIMITED,
            project_default=0 if self.api_visible else UNLIMITED,
            api_visible=self.api_visible,
            ui_visible=shown,
        )


class ServiceDocument(Struct):
    """A service as its component publishes it; keys we do not know are ignored."""

    type: Name
    component: Name
    endpoints: Annotated[list[dict[str, Scalar]], Meta(max_length=20)]
    prefix: Annotated[str, Meta(max_length=MAX_URL)] = ""
    public: bool = False
    resources: Annotated[dict[str, ResourceDocument], Meta(max_length=200)] = {}


Document = Annotated[dict[Name, ServiceDocument], Meta(max_length=100)]
"""Services by name."""


@frozen
class Wanted:
    """One service of a document, checked and completed.

    :ivar warnings: what is odd, but no reason to refuse it.
    """

    name: str
    type: str
    component: str
    endpoints: Sequence[Endpoint]
    resources: Sequence[Resource]
    warnings: Sequence[str]


def decode(document: bytes) -> Mapping[str, ServiceDocument]:
    """A document as it is typed or piped in.

    :raises Invalid: it is not JSON, or not of that shape.
    """
    if b"\\u0000" in document or b"\0" in document:
        raise Invalid("the definition must not contain NUL characters")
    try:
        found: dict[str, ServiceDocument] = msgspec.json.decode(
            document, type=Document, strict=True
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"that is no service definition: {error}") from None
    return found


def checked(name: str, one: ServiceDocument, base: str | None) -> Wanted:
    """The service ``name``, completed with its component's ``base`` URL.

    :raises Invalid: an endpoint or a resource is not well-formed.
    """
    endpoints = [_endpoint(name, one, given, base) for given in one.endpoints]
    return Wanted(
        name,
        one.type,
        one.component,
        endpoints,
        [_resource(name, given) for given in one.resources.values()],
        [
            f"{name}: {url} is not below {base}"
            for url in (str(endpoint["publicURL"]) for endpoint in endpoints)
            if base and url != base and not url.startswith(f"{base}/")
        ],
    )


def _resource(name: str, one: ResourceDocument) -> Resource:
    if one.service_origin != name:
        raise Invalid(
            f"{name}: {one.name} has the service_origin {one.service_origin!r}"
        )
    return one.resource()


def _endpoint(
    name: str, one: ServiceDocument, given: Mapping[str, Scalar], base: str | None
) -> Endpoint:
    version = given.get("versionId")
    exposed = given.get(EXPOSE, True)
    url = given.get("publicURL", "")
    if not isinstance(version, str) or not isinstance(exposed, bool):
        raise Invalid(f"{name}: an endpoint needs a versionId; {EXPOSE} is a boolean")
    if url is None and base is None:
        raise Invalid(f"{name}: component {one.component} has no base URL")
    if url is None:
        url = joined(str(base), one.prefix, version if exposed else "")
    if not isinstance(url, str) or not url:
        raise Invalid(f"{name}: an endpoint needs a publicURL, or null for the usual")
    return {**given, "publicURL": check_url(url, f"{name}: publicURL")}
