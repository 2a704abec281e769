"""Handlers by their types: what a handler is annotated with is parsed, answered and documented.

`async def put_hotline(call: Call, path: HotlinePath, body: HotlineBody) -> Hotline` is a whole operation: `path`,
`query` and `body` are pydantic models (strict), the reply is whatever pydantic can write, the docstring is the
documentation.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.access import authenticate
from api.errors import invalid
from api.json_body import read_json
from engine.store.directory_port import Directory

DIRECTORY: web.AppKey[Directory] = web.AppKey("directory", Directory)
PARTS = ("path", "query", "body")
TypedHandler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    tag: str
    handler: TypedHandler
    errors: tuple[int, ...]
    models: Mapping[str, type[BaseModel]]       # by "path", "query", "body"
    reply: TypeAdapter[Any]

    @property
    def documentation(self) -> str:
        return inspect.getdoc(self.handler) or ""

    async def serve(self, request: web.Request) -> web.Response:
        call = await authenticate(request, request.app[DIRECTORY])
        try:
            arguments = {name: model.model_validate(await _given(request, name)) for name, model in self.models.items()}
        except ValidationError as error:
            raise invalid(error) from None
        answer = await self.handler(call, **arguments)
        return web.Response(body=self.reply.dump_json(answer, by_alias=True), content_type="application/json")


@dataclass(slots=True)
class Routes:
    """The operations below a prefix. `errors` are the statuses a handler may answer beside 400, 401 and 503."""

    prefix: str
    operations: list[Operation] = field(default_factory=list)

    def on(self, method: str, path: str, *errors: int, tag: str) -> Callable[[TypedHandler], TypedHandler]:
        def register(handler: TypedHandler) -> TypedHandler:
            hints = get_type_hints(handler, include_extras=True)
            models: dict[str, type[BaseModel]] = {name: hints[name] for name in PARTS if name in hints}
            self.operations.append(Operation(
                method, self.prefix + path, tag, handler, errors, models, TypeAdapter(hints["return"])))
            return handler
        return register

    def __iter__(self) -> Iterator[web.RouteDef]:
        return (web.route(it.method, it.path, it.serve) for it in self.operations)


async def _given(request: web.Request, part: str) -> Any:
    if part == "body":
        return await read_json(request)
    if part == "path":
        return dict(request.match_info)
    return {name: values[0] if len(values := request.query.getall(name)) == 1 else values for name in request.query}
