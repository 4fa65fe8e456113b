"""The web pages below ``/ui/``."""

from api.ui.static import built_pages, resource

__all__ = ["built_pages", "resource"]
