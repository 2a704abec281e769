"""The OpenAPI document's view of the Sensaphone.net API: a POST for each resource in JSON mode, and every path of URI
mode. Nothing is served by it; `door.py` serves, by the same tables.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, create_model

from api import typed_routes
from api.errors import ErrorStyle
from api.fields import FromUrl, UrlInt
from api.openapi import document
from api.sensaphone import frame
from api.sensaphone.results import STYLE, Failed, Result
from api.sensaphone.uri_mode import PATHS, REQUEST_TYPES, Path

PREFIX = "/api/v1"
DESCRIPTION = """The Sensaphone.net API as far as contact groups need it, and the same below `/api/v2` and `/api/v3`.

`POST /api/v1/login` tells acctid and session. In JSON mode both stand in the body, which may also come as text/plain;
in URI mode in the path, where each value may stand in braces, with a slash at the end or without. What fails is told
in `result`, with HTTP 200."""
Value = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class _Documented:
    style: ErrorStyle
    operations: Sequence[typed_routes.Operation]


def openapi(operations: frame.Operations) -> dict[str, Any]:
    found = [*_json_mode(operations), *_uri_mode(operations)]
    return document(_Documented(STYLE, found), "Sensaphone.net API", "1.0.0", DESCRIPTION, {})


def _json_mode(operations: frame.Operations) -> Iterator[typed_routes.Operation]:
    by_resource: dict[str, list[frame.Operation]] = {}
    for one in operations:
        by_resource.setdefault(one.resource, []).append(one)
    for resource, several in by_resource.items():
        words = [f"JSON mode of {resource}.", *(f"`{it.request_type}`: {it.handler.__doc__}" for it in several)]
        yield typed_routes.Operation(
            "POST", f"{PREFIX}/{resource}", resource, _named(f"post_{resource}", "\n\n".join(words)), (),
            {"body": _union(it.model for it in several)}, _answer(*(it.reply for it in several)))


def _uri_mode(operations: frame.Operations) -> Iterator[typed_routes.Operation]:
    for path in PATHS:
        request_type = "create" if path.is_open else REQUEST_TYPES[path.method]
        reply = operations.find(path.resource, request_type).reply
        yield typed_routes.Operation(
            path.method, f"{PREFIX}/{path.pattern}", path.resource, _named(path.meaning.__name__, path.meaning.__doc__),
            (404,), {"path": _path_model(path)}, _answer(reply))


def _named(name: str, words: str | None) -> Callable[[], Awaitable[None]]:
    """An operation is called and described as its handler is."""
    async def described() -> None: ...
    described.__name__, described.__doc__ = name, words
    return described


def _path_model(path: Path) -> type[BaseModel]:
    names = [it.strip("{}") for it in path.pattern.split("/") if it.startswith("{")]
    fields: Mapping[str, Any] = {it: (UrlInt if it.endswith("id") else Value, ...) for it in names}
    return create_model(f"{path.meaning.__name__}_path", __base__=FromUrl, **fields)


def _answer(*replies: Any) -> TypeAdapter[Any]:
    """`response` is one of these; or it failed."""
    distinct = list(dict.fromkeys(replies))
    name = distinct[0].__name__.removesuffix("Response")
    succeeded = create_model(f"{name}Answer", result=(Result, ...), response=(_union(distinct), ...))
    return TypeAdapter(succeeded | Failed)


def _union(types: Any) -> Any:
    return reduce(or_, types)
