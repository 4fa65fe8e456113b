"""What a plugin promises: the mounts of one API, or one way to log in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.web.resource import IResource
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from snfd.cloud import Cloud
    from snfd.compute.placement import ClusterFacts, Want
    from snfd.logins.port import Tools, Way


@frozen(eq=False)
class Mount:
    """A resource at a path.

    :ivar path: without a trailing slash, ``/compute/v2.0``.
    :ivar dialect: ``synnefo``, ``openstack``, ``pithos``, ``swift``,
        ``admin``, or an empty string for what is no API.
    :ivar bodies: an `api.objects.opener.StreamingMount` that decides which of its
        request bodies are streamed; ``None`` if none are.
    """

    path: str
    dialect: str
    resource: IResource
    bodies: Any = None


class IApi(Interface):
    """One API, found by ``getPlugins(IApi, snfd.plugins)``."""

    kind: str = Attribute("Its name in ``plugins = […]`` of the configuration.")

    def mounts(cloud: Cloud) -> Sequence[Mount]:  # noqa: N805
        """Resources over the services of ``cloud``."""


class IAllocator(Interface):
    """One way to judge clusters, found by ``getPlugins(IAllocator, snfd.plugins)``."""

    kind: str = Attribute("Its name in ``[compute] allocator`` of the configuration.")

    def judge(cluster: ClusterFacts, want: Want) -> float:  # noqa: N805
        """How bad a cluster is for a new server; the lowest gets it.

        Asked only of clusters that may take it; must not wait for anything.
        """


class ILogin(Interface):
    """One kind of login method, found by ``getPlugins(ILogin, snfd.plugins)``."""

    kind: str = Attribute("Its ``kind = …`` in ``[[login]]`` of the configuration.")

    def way(table: Mapping[str, Any], tools: Tools) -> Way:  # noqa: N805
        """The method that a ``[[login]]`` table describes.

        :raises Invalid: the table has unknown keys or wrong values.
        """
