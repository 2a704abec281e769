"""OpenAPI 3.1, made from the typed routes: pydantic's JSON Schema 2020-12 is what 3.1 wants."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter

from api.access import ORGANISATION_HEADER, USER_HEADER
from api.errors import Error
from api.typed_routes import Operation

REF = "#/components/schemas/{model}"
STATUS = {400: "invalid or missing data", 401: "token missing or not valid", 403: "access not allowed",
          404: "not found", 413: "body too large", 500: "unexpected error", 503: "temporarily unavailable"}


def document(operations: Sequence[Operation], title: str, version: str, description: str) -> dict[str, Any]:
    schemas, definitions = TypeAdapter.json_schemas([*_inputs(operations)], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "security": [{ORGANISATION_HEADER: []}, {USER_HEADER: []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(it.tag for it in operations)],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {name: {"type": "apiKey", "in": "header", "name": name}
                                for name in (ORGANISATION_HEADER, USER_HEADER)}},
    }


def _inputs(operations: Iterable[Operation]) -> Iterable[tuple[Any, Any, TypeAdapter[Any]]]:
    yield "error", "serialization", TypeAdapter(Error)
    for operation in operations:
        yield (operation.handler, "reply"), "serialization", operation.reply
        if "body" in operation.models:
            yield (operation.handler, "body"), "validation", TypeAdapter(operation.models["body"])


def _operation(operation: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    summary, _, description = operation.documentation.partition("\n")
    answers = {200: schemas[(operation.handler, "reply"), "serialization"]}
    codes = {400, 401, 500, 503, *operation.errors, *([413] if "body" in operation.models else [])}
    answers |= {code: schemas["error", "serialization"] for code in sorted(codes)}
    found = {
        "operationId": operation.handler.__name__, "tags": [operation.tag], "summary": summary,
        "description": description.strip(),
        "parameters": [*_parameters(operation, "path"), *_parameters(operation, "query")],
        "responses": {str(code): {"description": STATUS.get(code, "success"), "content": _json(schema)}
                      for code, schema in answers.items()},
    }
    if "body" in operation.models:
        schema = schemas[(operation.handler, "body"), "validation"]
        found["requestBody"] = {"required": True, "content": _json(schema)}
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


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
