"""The OpenAPI 3.1 document of a dialect, from its operations' types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from api.operations import Dialect, Operation

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
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
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
        if operation.query is not None:
            wanted += [one.type for one in msgspec.structs.fields(operation.query)]
        types.update({_key(kind): kind for kind in wanted if _has_schema(kind)})
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
            str(operation.status): _response(
                operation.reply, dialect.content_type, schemas
            ),
            **{
                str(status): _response(kind, dialect.content_type, schemas)
                for status, kind in operation.also.items()
            },
            "default": _response(
                dialect.fault_body, dialect.fault_content_type, schemas
            ),
        },
    }
    if operation.auth:
        described["security"] = [{"token": []}]
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[_key(operation.body)]}},
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


def _response(kind: Any, content_type: str, schemas: Schemas) -> dict[str, Any]:
    if kind is None:
        return {"description": "no body"}
    if kind is bytes:
        return {
            "description": "bytes",
            "content": {"application/octet-stream": {"schema": {}}},
        }
    return {
        "description": "a reply" if isinstance(kind, type) else "an answer",
        "content": {content_type: {"schema": schemas[_key(kind)]}},
    }


def _key(kind: Any) -> str:
    return f"{getattr(kind, '__module__', '')}.{kind!r}"


def _has_schema(kind: Any) -> bool:
    return kind is not None and kind is not bytes
