"""OpenAPI 3.1, made from the typed routes: pydantic's JSON Schema 2020-12 is what 3.1 wants."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import TypeAdapter

from api.access import ORGANISATION_HEADER, USER_HEADER
from api.errors import ErrorStyle
from api.typed_routes import JSON, Operation

REF = "#/components/schemas/{model}"
STATUS = {201: "created", 202: "accepted", 204: "done",
          400: "invalid or missing data", 401: "token missing or not valid", 403: "access not allowed",
          404: "not found", 408: "the body did not arrive in time", 409: "conflict", 411: "the body is empty",
          412: "data validation failed", 413: "body too large", 415: "another content type is wanted",
          417: "no value is given", 422: "refused by a rule", 423: "not ready for this", 429: "too many at once",
          500: "unexpected error", 501: "not there yet", 503: "temporarily unavailable"}
TOKENS: Mapping[str, Mapping[str, str]] = {
    name: {"type": "apiKey", "in": "header", "name": name} for name in (ORGANISATION_HEADER, USER_HEADER)}


class Documented(Protocol):
    """The operations of an API, and how it tells errors."""

    @property
    def style(self) -> ErrorStyle: ...
    @property
    def operations(self) -> Sequence[Operation]: ...


def document(routes: Documented, title: str, version: str, description: str,
             security: Mapping[str, Mapping[str, str]] = TOKENS) -> dict[str, Any]:
    """`security`: how callers show who they are, one of these each."""
    schemas, definitions = TypeAdapter.json_schemas([*_inputs(routes)], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for operation in routes.operations:
        entry = _operation(operation, routes, schemas)
        if entry["operationId"] in names:       # one handler for two methods
            entry["operationId"] = f"{operation.method.lower()}_{entry['operationId']}"
        names.add(entry["operationId"])
        paths.setdefault(operation.path, {})[operation.method.lower()] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in security],
        "tags": [{"name": tag} for tag in dict.fromkeys(it.tag for it in routes.operations)],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": security},
    }


def _inputs(routes: Documented) -> Iterable[tuple[Any, Any, TypeAdapter[Any]]]:
    yield "error", "serialization", TypeAdapter(routes.style.model)
    for operation in routes.operations:
        if operation.reply is not None:
            yield (operation.handler, "reply"), "serialization", operation.reply
        if "body" in operation.models:
            yield (operation.handler, "body"), "validation", TypeAdapter(operation.models["body"])


def _operation(operation: Operation, routes: Documented, schemas: dict[Any, Any]) -> dict[str, Any]:
    summary, _, description = operation.documentation.partition("\n")
    codes = {400, 401, 500, 503, *operation.errors, *([413, 415] if operation.has_body else [])}
    # a failure that has the status of a success is described with it
    codes = {routes.style.statuses.get(code, code) for code in codes} - set(operation.statuses)
    error = {routes.style.content_type: {"schema": schemas["error", "serialization"]}}
    found = {
        "operationId": operation.handler.__name__, "tags": [operation.tag], "summary": summary,
        "description": description.strip(),
        "parameters": [*_parameters(operation, "path"), *_parameters(operation, "query"),
                       *_parameters(operation, "header"), *operation.described.get("parameters", ())],
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
    return found | {name: it for name, it in operation.described.items() if name != "parameters"}


BINARY = {"type": "string", "format": "binary"}


def _answer(operation: Operation, status: int, schemas: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": STATUS.get(status, "success")}
    if status != 204 and operation.has_answer:
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
