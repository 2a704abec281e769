"""JSON from outside: read with limits, and only when it says one thing.

Refused with a 400 that says why: another content type or charset, bytes that are no UTF-8, malformed JSON, NaN, numbers
too long to read, nesting too deep, an object that names a member twice.
"""

import asyncio
import json
from typing import Any, NoReturn

from aiohttp import web

from api.errors import ApiError

BODY_LIMIT = 64 * 1024      # bytes; aiohttp answers 413 above
READ_TIMEOUT_S = 10.0


class _Refused(ValueError):
    pass


async def read_json(request: web.Request) -> Any:
    """The body as Python values. Raises ApiError 400; aiohttp raises 413."""
    if "Content-Type" in request.headers and request.content_type != "application/json":
        raise ApiError(400, "body: the content type must be application/json")
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise ApiError(400, "body: the charset must be UTF-8")
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            body = await request.read()
    except TimeoutError:
        raise ApiError(408, "the body did not arrive in time") from None
    return parse(body)


def parse(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except _Refused as error:
        raise ApiError(400, f"body: {error}") from None
    except RecursionError:
        raise ApiError(400, "body: nested too deep") from None
    except ValueError as error:
        raise ApiError(400, "body: not valid JSON", f"body: {str(error)[:100]}") from None


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"member {twice[:100]!r} is given twice")
    return found


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON")
