"""What a client is told when something is wrong: how errors are raised, and in which style each API tells them.

`ApiError` is raised by handlers; `errors` is the middleware that turns it, aiohttp's own refusals, the directory's
errors and everything unforeseen into an answer. The style belongs to the path's prefix (`STYLES`), so that also an
unknown path is answered in the style of its API; elsewhere it is the error body of the First Responder contract (1.2).
Nothing of an exception's text reaches the client except what was written for it.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from api.wording import in_words
from engine.store.directory_port import NoNumberLeft, NoSipCustomer, StoreFailed, UnknownUsers
from engine.vocabulary.values import RingwardError

log = structlog.get_logger()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHOWN_ERRORS = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request. `field` as a client would write it: `recipients[2].phone`."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class ApiError(RingwardError):
    """`kind` names a rule of an API that was broken; '' is what the status says."""

    def __init__(self, status: int, message: str, error: str | None = None, *, problems: Sequence[Problem] = (),
                 kind: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error = error or message
        self.problems = tuple(problems)
        self.kind = kind
        self.headers = headers


class Invalid(ApiError):
    """Fields say something that cannot be."""

    def __init__(self, field: str, problem: str, *more: Problem) -> None:
        problems = (Problem(field, problem), *more)
        shown = "; ".join(map(str, problems[:SHOWN_ERRORS]))
        super().__init__(400, shown, f"invalid {shown}", problems=problems)


class Forbidden(ApiError):
    def __init__(self, field: str, problem: str = "the token may not act for it") -> None:
        super().__init__(403, f"access not allowed: {field}", f"{field}: {problem}", problems=[Problem(field, problem)])


class NotFound(ApiError):
    def __init__(self, what: str) -> None:
        super().__init__(404, f"{what} not found")


@dataclass(frozen=True, slots=True)
class ErrorStyle:
    """How an API writes an error. `statuses`: what it answers instead of a status that it does not have."""

    model: type[BaseModel]
    write: Callable[[ApiError, int], BaseModel]
    content_type: str = "application/json"
    statuses: Mapping[int, int] = field(default_factory=dict)

    def answer(self, error: ApiError) -> web.Response:
        status = self.statuses.get(error.status, error.status)
        body = self.write(error, status).model_dump(mode="json", exclude_none=True)
        return web.Response(status=status, body=json.dumps(body).encode(), content_type=self.content_type,
                            headers=error.headers)


class Error(BaseModel):
    """Something was refused or failed; nothing was changed."""

    success: bool = Field(False, json_schema_extra={"const": False})
    message: str = Field(description="text for people")
    error: str = Field(description="technical text; names the field that is wrong")


def _envelope(error: ApiError, _: int) -> Error:
    return Error(success=False, message=error.message, error=error.error)


ENVELOPE = ErrorStyle(Error, _envelope, statuses={HTTPStatus.UNSUPPORTED_MEDIA_TYPE: HTTPStatus.BAD_REQUEST})
STYLES: web.AppKey[dict[str, ErrorStyle]] = web.AppKey("styles", dict[str, ErrorStyle])


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        wrong = ApiError(error.status, error.reason, headers=allow)
    except Exception as error:
        wrong = told(error, request.method)
    return style_of(request).answer(wrong)


def style_of(request: web.Request) -> ErrorStyle:
    found = (style for prefix, style in request.app[STYLES].items() if f"{request.path}/".startswith(f"{prefix}/"))
    return next(found, ENVELOPE)


def told(error: Exception, method: str) -> ApiError:
    """What a client is told of whatever was raised; what nobody expected is logged."""
    match error:
        case ApiError():
            return error
        case UnknownUsers():
            return ApiError(400, f"agents: not users of this organisation: {error}", f"invalid agents: {error}")
        case NoNumberLeft():
            return ApiError(400, "no number left")
        case NoSipCustomer():
            return ApiError(400, "the organisation needs a sip-customer first", "organizationID: no sip-customer")
        case StoreFailed():
            log.warning("api.database", error=str(error), method=method)
            return ApiError(503, "the service is temporarily unavailable", "database not available",
                            headers={"Retry-After": "5"})
        case _:
            log.error("api.failed", method=method, exc_info=error)
            return ApiError(500, "unexpected error")


def invalid(error: ValidationError) -> ApiError:
    """A pydantic error as a 400 that names the fields."""
    problems = [Problem(_field(it["loc"]), in_words(it)) for it in error.errors(include_url=False, include_input=False)]
    return Invalid(problems[0].field, problems[0].problem, *problems[1:])


def _field(location: tuple[Any, ...]) -> str:
    parts = [part for part in location if part != "[key]"]      # pydantic's word for "the member's name itself"
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in parts)
    return name.removeprefix(".") or "body"
