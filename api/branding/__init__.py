"""What pages must know of the cloud's looks, from the cloud itself alone.

Source: ``spec/astakos.md`` §13. Nothing here names another host but the links
that the operator sets: pages need no third party's fonts, scripts or pictures.
"""

from __future__ import annotations

from api.branding.images import Image
from api.branding.names import BrandingApi
from api.dispatch import Authenticator, Served, build
from api.synnefo.faults import DIALECT

__all__ = ["BrandingApi", "Image", "resource"]


def resource(authenticator: Authenticator, api: BrandingApi) -> Served:
    """``/branding``."""
    return build(DIALECT, authenticator, api)
