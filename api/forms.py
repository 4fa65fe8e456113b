"""Forms: bodies of ``application/x-www-form-urlencoded``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct
from twisted.web.iweb import IRequest

from snfd.errors import Invalid
from snfd.wanted import explained

FORM = "application/x-www-form-urlencoded"
MAX_FORM = 64 * 1024
"""The longest form of a page, in bytes."""

FIELDS = 50
"""How many fields a form has at most."""

T = TypeVar("T", bound=Struct)


def form_of(request: IRequest) -> Mapping[str, str]:
    """The fields of a form's body, never of the query.

    :raises Invalid: it is no form, too large, or has a field twice.
    """
    pairs = _pairs(request, MAX_FORM)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("the form has a field twice")
    return found


def decode_form(request: IRequest, kind: type[T]) -> T:
    """The request's form as ``kind``; fields that it lacks are ignored.

    A field that is given twice counts as its last value.

    :raises Invalid: it is no form, not UTF-8, or a field is of the wrong type.
    """
    try:
        return msgspec.convert(dict(_pairs(request)), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(explained(error, kind)) from None


def _pairs(request: IRequest, longest: int = -1) -> list[tuple[str, str]]:
    """The fields of the body in their order.

    :param longest: in bytes; negative for no bound but the server's.
    :raises Invalid: it is no form, not UTF-8, or too large.
    """
    declared = (request.getHeader("content-type") or "").partition(";")[0].strip()
    if declared.lower() != FORM:
        raise Invalid(f"the body must be declared Content-Type: {FORM}")
    request.content.seek(0)
    raw = request.content.read(longest + 1 if longest >= 0 else -1)
    if 0 <= longest < len(raw):
        raise Invalid(f"a form has at most {longest} bytes")
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except UnicodeDecodeError:
        raise Invalid("the form is not UTF-8") from None
    except ValueError:
        raise Invalid(f"a form has at most {FIELDS} fields") from None
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Invalid("the form must not contain NUL characters")
    return pairs
