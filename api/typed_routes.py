"""Handlers by their types: what a handler is annotated with is parsed, answered and documented.

`async def put_hotline(call: Call, path: HotlinePath, body: HotlineBody) -> Hotline` is a whole operation: `path`,
`query`, `header` and `body` are pydantic models (strict; of `header` the fields' aliases are the headers' names), the
reply is whatever pydantic can write, the docstring is the documentation. Beside that:

* `body: bytes` is the body as it came, of one of the types in `consumes`; `-> bytes` answers as `produces`;
* with `consumes` a `body: Model | None` is JSON, or None: then it is one of those types, and the handler reads it;
* `-> Reply[T]` chooses the status among the documented ones, and headers; `-> None` is a 204;
* `request: web.Request` and `-> web.StreamResponse` are for who writes the answer himself (a stream, `produces`);
* any other parameter is a service of the application, found by its type in `app[SERVICES]`.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.access import authenticate
from api.errors import ENVELOPE, ErrorStyle, invalid
from api.json_body import BODY_LIMIT, read_body, read_json, require_type
from engine.store.directory_port import Directory

DIRECTORY: web.AppKey[Directory] = web.AppKey("directory", Directory)
SERVICES: web.AppKey[dict[type, Any]] = web.AppKey("services", dict[type, Any])
# what runs beside the requests until the process stops; an error that it raises stops the process
RUNNING: web.AppKey[list[Callable[[], Coroutine[Any, Any, None]]]] = web.AppKey("running", list)
ROUTE = web.RequestKey("route", str)     # the pattern that stands for a path that aiohttp does not know
PARTS = ("path", "query", "header", "body")
JSON = "application/json"
T = TypeVar("T")
TypedHandler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """An answer with a status other than the operation's first one, or with headers."""

    value: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """`errors` are the statuses beside 400, 401, 500 and 503; of `statuses` the first is the usual one."""

    method: str
    path: str
    tag: str
    handler: TypedHandler
    errors: tuple[int, ...]
    models: Mapping[str, type[BaseModel]]       # by "path", "query", "header", "body" (JSON)
    reply: TypeAdapter[Any] | None              # None: not JSON
    statuses: tuple[int, ...] = (200,)
    headers: Mapping[str, str] = field(default_factory=dict)    # of the answer, with what they say
    consumes: tuple[str, ...] = ()              # of a body that is no JSON
    produces: str = JSON
    limit: int = BODY_LIMIT
    also_system: bool = False                   # a system token may call it as well
    services: Mapping[str, type] = field(default_factory=dict)
    also_produces: str = ""                     # by `Accept`, beside JSON: the handler writes it

    @property
    def documentation(self) -> str:
        return inspect.getdoc(self.handler) or ""

    @property
    def has_body(self) -> bool:
        return "body" in self.models or bool(self.consumes)

    @property
    def has_answer(self) -> bool:
        """Whether it answers with a body."""
        return self.reply is not None or self.produces != JSON

    @property
    def described(self) -> Mapping[str, Any]:
        """What its entry in the OpenAPI document has beside what its types say."""
        return {}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        call = await authenticate(request, request.app[DIRECTORY], also_system=self.also_system)
        arguments: dict[str, Any] = {
            name: request if kind is web.Request else request.app[SERVICES][kind]
            for name, kind in self.services.items()}
        try:
            for name, model in self.models.items():
                if name == "body" and request.content_type in self.consumes:
                    arguments[name] = None
                    continue
                arguments[name] = model.model_validate(await self._given(request, name))
        except ValidationError as error:
            raise invalid(error) from None
        if self.consumes and "body" not in self.models:
            require_type(request, self.consumes)
            arguments["body"] = await read_body(request, self.limit)
        return self._response(await self.handler(call, **arguments))

    async def _given(self, request: web.Request, part: str) -> Any:
        match part:
            case "body":
                return await read_json(request, self.limit)
            case "path":
                return dict(request.match_info)
            case "header":
                names = [it.alias or name for name, it in self.models["header"].model_fields.items()]
                return {name: _one(request.headers.getall(name)) for name in names if name in request.headers}
            case _:
                return {name: _one(request.query.getall(name)) for name in request.query}

    def _response(self, answer: Any) -> web.StreamResponse:
        if isinstance(answer, web.StreamResponse):
            return answer
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        status = reply.status or self.statuses[0]
        if status == 204:
            return web.Response(status=status, headers=reply.headers)
        body = reply.value if self.reply is None else self.reply.dump_json(reply.value, by_alias=True)
        return web.Response(status=status, body=body, content_type=self.produces, headers=reply.headers)


@dataclass(slots=True)
class Routes:
    """The operations below a prefix, and the style of their errors."""

    prefix: str
    style: ErrorStyle = ENVELOPE
    operations: list[Operation] = field(default_factory=list)

    def on(self, method: str, path: str, *errors: int, tag: str, statuses: tuple[int, ...] = (),
           headers: Mapping[str, str] | None = None, consumes: tuple[str, ...] = (), produces: str = JSON,
           also_produces: str = "", limit: int = BODY_LIMIT, also_system: bool = False,
           ) -> Callable[[TypedHandler], TypedHandler]:
        def register(handler: TypedHandler) -> TypedHandler:
            hints = get_type_hints(handler, include_extras=True)
            models: dict[str, type[BaseModel]] = {
                name: _model(hints[name]) for name in PARTS if name in hints and hints[name] is not bytes}
            reply = _without(web.StreamResponse, hints["return"]) if also_produces else hints["return"]
            value = get_args(reply)[0] if get_origin(reply) is Reply else reply
            is_empty = value is type(None)
            self.operations.append(Operation(
                method, self.prefix + path, tag, handler, errors, models,
                TypeAdapter(value) if produces == JSON and not is_empty else None,
                statuses or ((204,) if is_empty else (200,)), headers or {}, consumes, produces, limit, also_system,
                {name: hint for name, hint in hints.items() if name not in {*PARTS, "call", "return"}},
                also_produces))
            return handler
        return register

    def __iter__(self) -> Iterator[web.RouteDef]:
        return (web.route(it.method, it.path, it.serve) for it in self.operations)


def _model(hint: Any) -> Any:
    """Of a `body: Model | None` the model."""
    return _without(type(None), hint)


def _without(kind: type, hint: Any) -> Any:
    """A union but for this member."""
    left = [it for it in get_args(hint) if it is not kind]
    return left[0] if get_origin(hint) is UnionType and len(left) == 1 else hint


def _one(values: list[str]) -> str | list[str]:
    """Given twice it stays a list, which is then not what the field wants."""
    return values[0] if len(values) == 1 else values
