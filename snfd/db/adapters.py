"""How Python values and PostgreSQL's meet; see `snfd.db.port` for the table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg2 import Error as Psycopg2Error
from psycopg2 import extensions, extras

from snfd.db.port import Jsonb, Params, Statement
from snfd.errors import CloudError, Conflict, Invalid

_BYTEA, _BYTEA_ARRAY = 17, 1001
_UUID, _UUID_ARRAY = 2950, 2951
_JSON, _JSON_ARRAY = (114, 3802), (199, 3807)

_UNSTORABLE = {"22021", "22P05", "22003", "22P02", "22008", "22009"}


class _JsonbLiteral(extras.Json):
    """A ``jsonb`` literal that says its type, so that it fits everywhere."""

    def dumps(self, obj: object) -> str:
        return msgspec.json.encode(obj).decode()

    def getquoted(self) -> bytes:
        return bytes(super().getquoted()) + b"::jsonb"


def _bytes(value: Any, _: Any) -> bytes | None:
    return None if value is None else bytes.fromhex(value.removeprefix("\\x"))


def _uuid(value: Any, _: Any) -> UUID | None:
    # twice as fast as UUID() itself
    return None if value is None else msgspec.convert(value, UUID)


def _json(value: Any, _: Any) -> Any:
    return None if value is None else msgspec.json.decode(value)


def install(connection: Any) -> None:
    """Teach ``connection`` (psycopg2's) the types that `port` promises."""
    for oids, array_oids, name, cast in (
        ((_BYTEA,), (_BYTEA_ARRAY,), "BYTES", _bytes),
        ((_UUID,), (_UUID_ARRAY,), "UUID", _uuid),
        (_JSON, _JSON_ARRAY, "JSON", _json),
    ):
        one = extensions.new_type(oids, name, cast)
        extensions.register_type(one, connection)
        many = extensions.new_array_type(array_oids, f"{name}[]", one)
        extensions.register_type(many, connection)


def prepare_text(statement: Statement) -> str:
    """The SQL that prepares ``statement`` on one connection."""
    return f"PREPARE {statement.name} AS {statement.sql}"


def execute_text(statement: Statement, params: Params) -> str:
    """The SQL that executes a prepared ``statement``, with ``%s`` placeholders.

    :raises TypeError: ``params`` is a mapping.
    """
    if isinstance(params, Mapping):
        raise TypeError(f"{statement.name} takes a sequence of parameters")
    if not params:
        return f"EXECUTE {statement.name}"
    return f"EXECUTE {statement.name} ({', '.join(['%s'] * len(params))})"


def as_domain_error(error: Exception) -> CloudError | None:
    """What ``error`` (psycopg2's or of adapting) means to a caller, or None."""
    if isinstance(error, UnicodeEncodeError) or (
        isinstance(error, ValueError) and "NUL" in str(error)
    ):
        return Invalid("text contains characters that cannot be stored")
    if isinstance(error, OverflowError):
        return Invalid("a time lies beyond all calendars")
    state = getattr(error, "pgcode", None)
    if state in _UNSTORABLE:
        return Invalid("a value cannot be stored: it is malformed or out of range")
    if state in ("23505", "23P01"):
        return Conflict("such a thing exists already", constraint=_constraint(error))
    if state == "23503":
        return Conflict(
            "it refers to, or is referred to by, something that changed meanwhile",
            constraint=_constraint(error),
        )
    return None


def hush(error: Psycopg2Error) -> None:
    """Take out of ``error``'s text what was to be stored.

    PostgreSQL's details and context, and the part of the statement where it
    stopped, carry values: passwords' hashes, sealed seeds, people's addresses.
    SQLSTATE and the first words are left; of data exceptions (class 22), whose
    words repeat the value, their name.
    """
    state = error.pgcode
    if state is not None:
        words = None if state.startswith("22") else error.diag.message_primary
        error.args = (f"{words or type(error).__name__} ({state})",)


def _constraint(error: Any) -> str | None:
    name = getattr(getattr(error, "diag", None), "constraint_name", None)
    return None if name is None else str(name)


_datetime = extensions.adapters[datetime, extensions.ISQLQuote]


def _moment(at: datetime) -> Any:
    """``at`` in UTC: what does not fit a calendar there could not be read again.

    :raises OverflowError: it does not.
    """
    return _datetime(at if at.tzinfo in (UTC, None) else at.astimezone(UTC))


extensions.register_adapter(datetime, _moment)
extensions.register_adapter(UUID, lambda u: extensions.AsIs(f"'{u}'::uuid"))
extensions.register_adapter(Jsonb, lambda marked: _JsonbLiteral(marked.value))
