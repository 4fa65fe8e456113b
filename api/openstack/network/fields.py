"""``fields=``: only those attributes of what a list holds that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET

from api.operations import Reply

V = TypeVar("V", bound=Reply)


def narrowed(views: Sequence[V], wanted: Sequence[str]) -> list[V]:
    """The views, which lose whatever is not ``wanted``; an empty list wants all.

    Names that there are not are overlooked, as neutron does.
    """
    if wanted and views:
        for field in msgspec.structs.fields(views[0]):
            if field.encode_name not in wanted:
                for view in views:
                    setattr(view, field.name, UNSET)
    return list(views)
