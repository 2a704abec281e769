"""What a client is told when something is wrong: always the error body of the First Responder contract (1.2).

`ApiError` is raised by handlers; `errors` is the middleware that turns it, aiohttp's own refusals, the directory's
errors and everything unforeseen into `{"success": false, "message", "error"}`. Nothing of an exception's text reaches
the client except what was written for it.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from engine.store.directory_port import NoNumberLeft, NoSipCustomer, StoreFailed, UnknownUsers
from engine.vocabulary.values import RingwardError

log = structlog.get_logger()
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHOWN_ERRORS = 5


class Error(BaseModel):
    """Something was refused or failed; nothing was changed."""

    success: bool = Field(False, json_schema_extra={"const": False})
    message: str = Field(description="text for people")
    error: str = Field(description="technical text; names the field that is wrong")


class ApiError(RingwardError):
    def __init__(self, status: int, message: str, error: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error = error or message


class Invalid(ApiError):
    """A field says something that cannot be."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(400, f"{field}: {problem}", f"invalid {field}: {problem}")


class Forbidden(ApiError):
    def __init__(self, field: str, problem: str = "the token may not act for it") -> None:
        super().__init__(403, f"access not allowed: {field}", f"{field}: {problem}")


class NotFound(ApiError):
    def __init__(self, what: str) -> None:
        super().__init__(404, f"{what} not found")


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return reply(error.status, error.message, error.error)
    except UnknownUsers as error:
        return reply(400, f"agents: not users of this organisation: {error}", f"invalid agents: {error}")
    except NoNumberLeft:
        return reply(400, "no number left")
    except NoSipCustomer:
        return reply(400, "the organisation needs a sip-customer first", "organizationID: no sip-customer")
    except StoreFailed as error:
        log.warning("api.database", error=str(error), method=request.method)
        return reply(503, "the service is temporarily unavailable", "database not available",
                     headers={"Retry-After": "5"})
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return reply(error.status, error.reason, headers=allow)
    except Exception:
        log.exception("api.failed", method=request.method)
        return reply(500, "unexpected error")


def reply(
    status: int, message: str, error: str | None = None, headers: dict[str, str] | None = None) -> web.Response:
    body = json.dumps({"success": False, "message": message, "error": error or message})
    return web.Response(status=status, body=body.encode(), content_type="application/json", headers=headers)


def invalid(error: ValidationError) -> ApiError:
    """A pydantic error as a 400 that names the fields."""
    problems = [f"{_field(it['loc'])}: {it['msg']}" for it in error.errors(include_url=False, include_input=False)]
    shown = "; ".join(problems[:SHOWN_ERRORS])
    return ApiError(400, shown, f"invalid {shown}")


def _field(location: tuple[Any, ...]) -> str:
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in location)
    return name.removeprefix(".") or "body"
