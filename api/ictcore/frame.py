"""What every module of the ICTCore API shares: the routes on which operations are registered, and who is calling.

    @routes.on("GET", "/contacts/{contact_id}", permission="contact_read", tag="contacts")
    async def get_contact(call: Call, contact_id: int, people: PostgresPeople) -> Contact:

    @routes.creates("contact_id", "/contacts", permission="contact_create", tag="contacts")
    async def create_contact(call: Call, body: ContactBody, people: PostgresPeople) -> int:

Of a handler's parameters, those named in the path come from it (`…_id` is a number, else the route does not exist),
`body` is a pydantic model (`fields.Body`) or with `consumes` the bytes (without a `body` the handler reads the
`request` itself), and others are services by their type (`app[SERVICES]`). `-> None` answers empty, everything else as
JSON, `web.StreamResponse` as it is. `creates`: the handler tells the new id; an Idempotency-Key works, so all that it
does in stores is one transaction. `door.py` finds the operation, `access.py` who calls. Errors are 412 for what is
wrong in a body (`Invalid`), 404 (`NotFound`), or `ApiError` with one of ICTCore's codes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar, get_type_hints
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError, create_model

from api import typed_routes
from api.errors import ApiError, ErrorStyle, NotFound, invalid
from api.fields import FromUrl, UrlInt
from api.json_body import BODY_LIMIT, parse, read_body, require_type
from api.typed_routes import JSON, SERVICES, Reply, TypedHandler
from engine.policy.permissions import grants
from engine.store.directory_port import Principal
from engine.store.filters import Wanted
from engine.store.idempotency import Idempotency

PREFIX = "/ictcore"
FORM = "application/x-www-form-urlencoded"
KEY = re.compile(r"[\x20-\x7e]{1,255}")
OPEN = "-"                  # the permission of what needs no log-in
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
    "description": "sent again within 24 hours, the same request makes nothing new"}
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
_VARIABLE = re.compile(r"\{(\w+)\}")


# --- errors

class ErrorText(BaseModel):
    code: int
    message: str


class Error(BaseModel):
    error: ErrorText


# ICTCore's code table has neither; it says 404 for a wrong method and 412 for all that is wrong with what was sent.
STATUSES: Mapping[int, int] = {
    HTTPStatus.BAD_REQUEST: 412, HTTPStatus.CONFLICT: 412, HTTPStatus.UNPROCESSABLE_ENTITY: 412,
    HTTPStatus.METHOD_NOT_ALLOWED: 404}
STYLE = ErrorStyle(Error, lambda error, status: Error(error=ErrorText(code=status, message=error.message)),
                   statuses=STATUSES)


def failed(name: str, problem: str) -> ApiError:
    """412, as ICTCore words it."""
    return ApiError(412, f"Data validation failed, for {name}: {problem}")


def denied(permission: str) -> ApiError:
    return ApiError(403, f"Permission denied: {permission}")


def found(value: T | None, what: str) -> T:
    """`found(await people.contact(…), "Contact")`. Raises NotFound."""
    if value is None:
        raise NotFound(what)
    return value


# --- who is calling

@dataclass(frozen=True, slots=True)
class Caller:
    """A user who is logged in, as the database has him at this moment."""

    user_id: int
    organisation_id: int
    username: str
    is_admin: bool              # of the organisation: sees and may everything in it
    country: str
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a user. `token_id`: the token it came with, '' for a password."""

    caller: Caller
    query: Mapping[str, str] = field(default_factory=dict)
    token_id: str = ""

    @property
    def user_id(self) -> int:
        return self.caller.user_id

    @property
    def organisation_id(self) -> int:
        return self.caller.organisation_id

    @property
    def country(self) -> str:
        """Where national forms of numbers are read."""
        return self.caller.country

    @property
    def principal(self) -> Principal:
        """As the other APIs know callers."""
        caller = self.caller
        return Principal(caller.organisation_id, caller.user_id, caller.is_admin, caller.country)

    def may(self, permission: str) -> bool:
        return self.caller.is_admin or grants(self.caller.permissions, permission)

    def needs(self, permission: str) -> None:
        """Raises ApiError 403."""
        if not self.may(permission):
            raise denied(permission)

    def seen_by(self, group: str) -> int | None:
        """Whose records of this group of permissions: None everybody's (`<group>_admin`), else only this user's own."""
        return None if self.may(f"{group}_admin") else self.user_id

    def wanted(self, group: str) -> Wanted:
        """The filters of a list, narrowed to what this user may see."""
        return Wanted(self.query, self.seen_by(group))


# --- operations

@dataclass(frozen=True, slots=True)
class Operation(typed_routes.Operation):
    """`permission`: '' for everybody who is logged in, OPEN for everybody. `also`: more paths of the same."""

    permission: str = ""
    creates: str = ""
    also: tuple[str, ...] = ()
    takes: frozenset[str] = frozenset()         # the parameters of the handler

    @property
    def described(self) -> Mapping[str, Any]:
        return ({"parameters": [IDEMPOTENCY_KEY]} if self.creates else {}) | (
            {"security": []} if self.permission == OPEN else {})

    async def run(self, request: web.Request, call: Call | None, path: Mapping[str, str]) -> web.StreamResponse:
        """Raises ApiError. `request.path` may be another one; `path` has what stood in its variables."""
        given: dict[str, Any] = {name: self._service(request, kind) for name, kind in self.services.items()}
        if call is not None and "call" in self.takes:
            given["call"] = call
        if "path" in self.models:
            given |= self._path(path)
        digest = ""
        if self.consumes:
            given |= await self._media(request)
        elif "body" in self.models:
            body = await read_object(request, self.limit)
            digest = json.dumps(body, sort_keys=True)
            given["body"] = read_as(self.models["body"], body)
        if self.creates and call is not None:
            return await self._created(request, call, given, f"{dict(path)} {digest}")
        return self._answer(await self.handler(**given))

    def _service(self, request: web.Request, kind: type) -> Any:
        return request if kind is web.Request else request.app[SERVICES][kind]

    def _path(self, path: Mapping[str, str]) -> dict[str, Any]:
        try:
            return dict(self.models["path"].model_validate(path))
        except ValidationError:
            raise ApiError(404, "no such resource") from None

    async def _media(self, request: web.Request) -> dict[str, Any]:
        """411 without a body, 415 for another type."""
        empty = ApiError(HTTPStatus.LENGTH_REQUIRED, "the body is empty")
        if not request.can_read_body or request.content_length == 0:
            raise empty
        require_type(request, self.consumes)
        if "body" not in self.takes:
            return {}
        body = await read_body(request, self.limit)
        if not body:
            raise empty
        return {"body": body}

    async def _created(self, request: web.Request, call: Call, given: dict[str, Any], said: str) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return self._answer({self.creates: await self.handler(**given)})
        if not KEY.fullmatch(key):
            raise failed("Idempotency-Key", "up to 255 printable characters")
        idempotency: Idempotency = request.app[SERVICES][Idempotency]
        digest = hashlib.sha256(f"{self.method} {self.path} {call.user_id} {said}".encode()).digest()
        async with idempotency.once(call.organisation_id, key, digest) as once:
            if once.known is None:
                once.made = await self.handler(**given)
        headers = {} if once.known is None else {"Idempotent-Replayed": "true"}
        return self._answer(Reply({self.creates: once.made if once.known is None else once.known}, headers=headers))

    def _answer(self, answer: Any) -> web.StreamResponse:
        """The door writes the content type that the client asked for."""
        if isinstance(answer, web.StreamResponse):
            return answer
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        if reply.value is None:
            return web.Response(status=reply.status or 200, headers=reply.headers)
        body = json.dumps(reply.value).encode() if self.creates or self.reply is None else self.reply.dump_json(
            reply.value, by_alias=True)
        return web.Response(status=reply.status or 200, body=body, content_type=JSON, headers=reply.headers)


@dataclass(slots=True)
class Routes:
    """The operations of the API; `document(routes, …)` writes them down."""

    prefix: str = PREFIX
    style: ErrorStyle = STYLE
    operations: list[Operation] = field(default_factory=list)

    def on(self, method: str, path: str, *errors: int, permission: str, tag: str, also: Sequence[str] = (),
           consumes: tuple[str, ...] = (), produces: str = JSON, limit: int = BODY_LIMIT, creates: str = "",
           headers: Mapping[str, str] | None = None) -> Callable[[TypedHandler], TypedHandler]:
        def register(handler: TypedHandler) -> TypedHandler:
            hints = get_type_hints(handler, include_extras=True)
            reply = hints.pop("return")
            variables: dict[str, Any] = {
                name: (UrlInt if name.endswith("_id") else str, ...) for name in _VARIABLE.findall(path)}
            models: dict[str, type[BaseModel]] = {}
            if variables:
                models["path"] = create_model(f"{handler.__name__}_path", __base__=FromUrl, **variables)
            if "body" in hints and not consumes:
                models["body"] = hints["body"]
            if creates:
                reply = _made(creates)
            is_json = produces == JSON and reply is not type(None)
            every = (*errors, *([403] if permission not in ("", OPEN) else []), *([404] if variables else []))
            self.operations.append(Operation(
                method, self.prefix + path, tag, handler, every, models, TypeAdapter(reply) if is_json else None,
                (200,), headers or {}, consumes, produces, limit,
                services={name: hint for name, hint in hints.items() if name not in {"call", "body", *variables}},
                permission=permission, creates=creates, also=tuple(self.prefix + it for it in also),
                takes=frozenset(hints)))
            return handler
        return register

    def creates(self, name: str, path: str, *errors: int, permission: str, tag: str, also: Sequence[str] = ()
                ) -> Callable[[TypedHandler], TypedHandler]:
        """POST of a new entity: the handler returns its id, the client gets `{name: id}`."""
        return self.on("POST", path, *errors, permission=permission, tag=tag, also=also, creates=name)


routes = Routes()


@cache
def _made(name: str) -> type[BaseModel]:
    """What a create answers."""
    fields: dict[str, Any] = {name: (int, ...)}
    return create_model(f"Created{name.removesuffix('_id').capitalize()}", **fields)


# --- bodies

async def read_object(request: web.Request, limit: int) -> dict[str, Any]:
    """JSON, whatever it calls itself, or a form; nothing is an empty object. Raises ApiError."""
    body = await read_body(request, limit)
    if not body.strip():
        return {}
    if request.content_type == FORM and not body.lstrip().startswith(b"{"):     # curl -d calls everything a form
        try:
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
        except ValueError:
            raise ApiError(412, "body: not a form in UTF-8") from None
    value = parse(body)
    if not isinstance(value, dict):
        raise ApiError(412, "body: must be a JSON object")
    return value


def read_as(model: type[M], value: Any) -> M:
    """Raises ApiError 412."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first, *more = invalid(error).problems
        raise ApiError(412, "; ".join([f"Data validation failed, for {first}", *map(str, more[:4])])) from None
