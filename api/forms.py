"""Forms: bodies of ``application/x-www-form-urlencoded``, as types."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct
from twisted.web.iweb import IRequest

from snfd.errors import Invalid
from snfd.wanted import explained

FORM = "application/x-www-form-urlencoded"
FIELDS = 20
"""How many fields a form has at most."""

T = TypeVar("T", bound=Struct)


def decode_form(request: IRequest, kind: type[T]) -> T:
    """The request's form as ``kind``; fields that it lacks are ignored.

    A field that is given twice counts as its last value.

    :raises Invalid: it is no form, not UTF-8, or a field is of the wrong type.
    """
    declared = (request.getHeader("content-type") or "").partition(";")[0].strip()
    if declared.lower() != FORM:
        raise Invalid(f"the body must be declared Content-Type: {FORM}")
    request.content.seek(0)
    try:
        text = request.content.read().decode()
        given = parse_qs(
            text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except UnicodeDecodeError:
        raise Invalid("the form is not UTF-8") from None
    except ValueError:
        raise Invalid(f"a form has at most {FIELDS} fields") from None
    values = {name: found[-1] for name, found in given.items()}
    if any("\0" in value for value in values.values()):
        raise Invalid("the form must not contain NUL characters")
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(explained(error, kind)) from None
