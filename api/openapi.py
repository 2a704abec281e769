"""OpenAPI 3.1, made from the typed routes: pydantic's JSON Schema 2020-12 is what 3.1 wants."""

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from api.access import ORGANISATION_HEADER, USER_HEADER
from api.typed_routes import JSON, Operation, Routes

REF = "#/components/schemas/{model}"
STATUS = {201: "created", 202: "accepted", 204: "done",
          400: "invalid or missing data", 401: "token missing or not valid", 403: "access not allowed",
          404: "not found", 408: "the body did not arrive in time", 409: "conflict", 411: "the body is empty",
          413: "body too large", 415: "another content type is wanted", 422: "refused by a rule",
          429: "too many at once", 500: "unexpected error", 503: "temporarily unavailable"}


def document(routes: Routes, title: str, version: str, description: str) -> dict[str, Any]:
    schemas, definitions = TypeAdapter.json_schemas([*_inputs(routes)], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in routes.operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, routes, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "security": [{ORGANISATION_HEADER: []}, {USER_HEADER: []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(it.tag for it in routes.operations)],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {name: {"type": "apiKey", "in": "header", "name": name}
                                for name in (ORGANISATION_HEADER, USER_HEADER)}},
    }


def _inputs(routes: Routes) -> Iterable[tuple[Any, Any, TypeAdapter[Any]]]:
    yield "error", "serialization", TypeAdapter(routes.style.model)
    for operation in routes.operations:
        if operation.reply is not None:
            yield (operation.handler, "reply"), "serialization", operation.reply
        if "body" in operation.models:
            yield (operation.handler, "body"), "validation", TypeAdapter(operation.models["body"])


def _operation(operation: Operation, routes: Routes, schemas: dict[Any, Any]) -> dict[str, Any]:
    summary, _, description = operation.documentation.partition("\n")
    codes = {400, 401, 500, 503, *operation.errors, *([413, 415] if operation.has_body else [])}
    codes = {routes.style.statuses.get(code, code) for code in codes}
    error = {routes.style.content_type: {"schema": schemas["error", "serialization"]}}
    found = {
        "operationId": operation.handler.__name__, "tags": [operation.tag], "summary": summary,
        "description": description.strip(),
        "parameters": [*_parameters(operation, "path"), *_parameters(operation, "query"),
                       *_parameters(operation, "header")],
        "responses": {
            **{str(code): _answer(operation, code, schemas) for code in operation.statuses},
            **{str(code): {"description": STATUS[code], "content": error} for code in sorted(codes)}},
    }
    if "body" in operation.models:
        schema = schemas[(operation.handler, "body"), "validation"]
        others = {it: {"schema": BINARY} for it in operation.consumes}
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}, **others}}
    elif operation.consumes:
        found["requestBody"] = {"required": True, "content": {it: {"schema": BINARY} for it in operation.consumes}}
    return found


BINARY = {"type": "string", "format": "binary"}


def _answer(operation: Operation, status: int, schemas: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": STATUS.get(status, "success")}
    if status != 204:
        schema = BINARY if operation.reply is None else schemas[(operation.handler, "reply"), "serialization"]
        found["content"] = {operation.produces: {"schema": schema}}
        if operation.also_produces:
            found["content"][operation.also_produces] = {"schema": BINARY}
    if operation.headers:
        found["headers"] = {name: {"description": text, "schema": {"type": "string"}}
                            for name, text in operation.headers.items()}
    return found


def _parameters(operation: Operation, place: str) -> list[dict[str, Any]]:
    if place not in operation.models:
        return []
    schema = operation.models[place].model_json_schema()
    return [{"name": name, "in": place, "required": name in schema.get("required", []),
             "description": it.pop("description", ""), "schema": _without_null(it)}
            for name, it in schema["properties"].items()]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What may be left out of a URL cannot be null in it."""
    given = [it for it in schema.pop("anyOf", []) if it != {"type": "null"}]
    if given:
        schema.pop("default", None)
    return schema | {name: value for it in given for name, value in it.items()}
