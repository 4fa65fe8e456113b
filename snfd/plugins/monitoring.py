"""What monitoring asks: health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import implementer

from snfd.plugin import IApi, Mount

if TYPE_CHECKING:
    from snfd.cloud import Cloud


@implementer(IApi, IPlugin)
@frozen
class MonitoringApi:
    """``/healthz``, ``/readyz`` and ``/metrics``."""

    kind: str = "monitoring"

    def mounts(self, cloud: Cloud) -> Sequence[Mount]:
        """See `IApi.mounts`."""
        from api.health import Health, MetricsPage, Readiness

        token = cloud.config.metrics.token
        return [
            Mount("/healthz", "", Health()),
            Mount("/readyz", "", Readiness(cloud.ready)),
            Mount("/metrics", "", MetricsPage(cloud.metrics, token)),
        ]


monitoring = MonitoringApi()
