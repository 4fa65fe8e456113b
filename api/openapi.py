"""The OpenAPI 3.1 document of a dialect, from its operations' types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, get_args

import msgspec
from msgspec import Struct

from api.operations import SERVICE, Dialect, Operation

REF = "#/components/schemas/{name}"


def document(
    title: str, mounted: Iterable[tuple[str, Dialect, Iterable[Operation]]]
) -> dict[str, Any]:
    """Describe all ``mounted`` operations: (mount, dialect, operations)."""
    every = [
        (mount, dialect, operation)
        for mount, dialect, operations in mounted
        for operation in operations
    ]
    schemas, components = _schemas(every)
    paths: dict[str, dict[str, Any]] = {}
    for mount, dialect, operation in every:
        path = (mount + operation.template).rstrip("/") or "/"
        paths.setdefault(path, {})[operation.method.lower()] = _described(
            operation, dialect, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {
                name: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Auth-Token",
                    "description": f"a {whose}'s token",
                }
                for name, whose in (("token", "user"), ("component", "component"))
            },
        },
    }


Schemas = Mapping[str, Mapping[str, Any]]


def _schemas(
    every: list[tuple[str, Dialect, Operation]],
) -> tuple[Schemas, dict[str, Any]]:
    types: dict[str, Any] = {}
    for _, dialect, operation in every:
        wanted = [operation.body, operation.reply, dialect.fault_body]
        wanted += [*operation.also.values(), *operation.segments.values()]
        wanted += operation.accepts.values()
        if operation.query is not None:
            wanted += [one.type for one in msgspec.structs.fields(operation.query)]
        parts = [part for kind in wanted for part in _choices(kind)]
        types.update({_key(kind): kind for kind in parts if _has_schema(kind)})
    found, components = msgspec.json.schema_components(
        list(types.values()), ref_template=REF
    )
    return dict(zip(types, found, strict=True)), dict(components)


def _described(
    operation: Operation, dialect: Dialect, schemas: Schemas
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{operation.name} {operation.method} {operation.path}",
        "summary": operation.summary,
        "parameters": _parameters(operation, schemas),
        "responses": {
            **{
                str(status): _response(kind, operation, dialect, schemas)
                for status, kind in {
                    operation.status: operation.reply,
                    **operation.also,
                }.items()
            },
            "default": _fault(dialect, schemas),
        },
    }
    if operation.auth:
        whose = "component" if operation.auth == SERVICE else "token"
        described["security"] = [{whose: []}]
    bodies = dict(operation.accepts)
    if operation.body is not None:
        bodies["application/json"] = operation.body
    if bodies:
        described["requestBody"] = {
            "required": operation.body is not None,
            "content": {
                content_type: {"schema": {} if kind is bytes else _one(kind, schemas)}
                for content_type, kind in bodies.items()
            },
        }
    return described


def _parameters(operation: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": schemas[_key(kind)]}
        for name, kind in operation.segments.items()
    ]
    if operation.query is not None:
        query: type[Struct] = operation.query
        found += [
            {
                "name": one.encode_name,
                "in": "query",
                "required": one.required,
                "schema": schemas[_key(one.type)],
            }
            for one in msgspec.structs.fields(query)
        ]
    return found


def _response(
    kind: Any, operation: Operation, dialect: Dialect, schemas: Schemas
) -> dict[str, Any]:
    if kind is None:
        return {"description": "no body"}
    if kind is bytes:
        return {"description": "bytes", "content": {operation.kind: {"schema": {}}}}
    content: dict[str, Any] = {dialect.content_type: {"schema": _one(kind, schemas)}}
    content.update({form: {"schema": {"type": "string"}} for form in operation.forms})
    return {
        "description": "a reply" if isinstance(kind, type) else "an answer",
        "content": content,
    }


def _fault(dialect: Dialect, schemas: Schemas) -> dict[str, Any]:
    kind = dialect.fault_body
    schema = {"type": "string"} if kind is bytes else _one(kind, schemas)
    return {
        "description": "a fault",
        "content": {dialect.fault_content_type: {"schema": schema}},
    }


def _one(kind: Any, schemas: Schemas) -> Mapping[str, Any]:
    """The schema of a type; of a choice between replies, any of theirs."""
    found = [schemas[_key(one)] for one in _choices(kind)]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _choices(kind: Any) -> list[Any]:
    """The replies that a union of them is made of; else the type itself."""
    parts = get_args(kind) if isinstance(kind, UnionType) else ()
    every = all(isinstance(part, type) and issubclass(part, Struct) for part in parts)
    return list(parts) if parts and every else [kind]


def _key(kind: Any) -> str:
    return f"{getattr(kind, '__module__', '')}.{kind!r}"


def _has_schema(kind: Any) -> bool:
    return kind is not None and kind is not bytes
