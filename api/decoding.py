"""What clients send, as the types that an operation states."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from twisted.web.iweb import IRequest

from api.operations import Dialect
from snfd.errors import BadMediaType, Invalid
from snfd.wanted import explained

MAX_ROW_ID = 2**63 - 1


def decode_segment(
    dialect: Dialect, name: str, text: str, types: Mapping[str, Any]
) -> Any:
    """A path segment as the handler's annotation wants it.

    :raises CloudError: the dialect's ``bad_segment``: it is not of that type.
    """
    try:
        value = msgspec.convert(text, types[name], strict=False)
    except msgspec.ValidationError as error:
        why = explained(error, types[name])
        raise dialect.bad_segment(f"{text!r} is no {name}: {why}") from None
    if isinstance(value, int) and not 0 <= value <= MAX_ROW_ID:
        raise dialect.bad_segment(f"{text!r} is no {name}: out of range")
    return value


def decode_query(request: IRequest, query: type[Struct]) -> Struct:
    """The query string as ``query``; keys that it lacks are ignored, if it
    does not forbid them.

    A key that is given twice counts as its last value, except for lists.

    :raises Invalid: a value is of the wrong type, or ``query`` forbids fields that
        it does not know, and there is one.
    """
    wanted = _fields(query)
    given: dict[str, Any] = {}
    try:
        for key, values in request.args.items():
            name = key.decode()
            if name in wanted:
                texts = [value.decode() for value in values]
                given[name] = texts if wanted[name] else texts[-1]
            elif query.__struct_config__.forbid_unknown_fields:
                raise Invalid(f"the query string has no {name!r}")
        return msgspec.convert(given, query, strict=False)
    except UnicodeDecodeError:
        raise Invalid("the query string is not UTF-8") from None
    except msgspec.ValidationError as error:
        why = explained(error, query)
        raise Invalid(f"in the query string: {why}") from None


def decode_body(request: IRequest, body: Any, dialect: Dialect) -> Any:
    """The request's JSON body as ``body``.

    :raises Invalid: it is not JSON, or not of that type.
    :raises BadMediaType: it is declared to be something else.
    """
    kind = (request.getHeader("content-type") or "").partition(";")[0].strip()
    if kind.lower() != "application/json":
        if dialect.json_only:
            raise Invalid("the body must be declared Content-Type: application/json")
        if kind and not kind.lower().endswith("json"):
            raise BadMediaType(f"the body must be application/json, not {kind!r}")
    raw: bytes = request.content.read()
    if b"\\u0000" in raw or b"\0" in raw:
        raise Invalid("the body must not contain NUL characters")
    return decode_json(raw, body)


def decode_json(raw: bytes, kind: Any) -> Any:
    """JSON text as ``kind``, strictly.

    :raises Invalid: it is not JSON, or not of that type.
    """
    try:
        return msgspec.json.decode(raw, type=kind, strict=True)
    except msgspec.ValidationError as error:
        raise Invalid(explained(error, kind)) from None
    except msgspec.DecodeError as error:
        raise Invalid(f"the body is not JSON: {error}") from None
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8") from None
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None


@cache
def _fields(query: type[Struct]) -> Mapping[str, bool]:
    """The keys of a query string, and whether each may be given many times."""
    return {
        one.encode_name: "list[" in str(one.type)
        for one in msgspec.structs.fields(query)
    }
