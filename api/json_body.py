"""Bodies from outside: read with limits, and JSON only when it says one thing.

Refused with a 415: another content type. With a 400 that says why: another charset, bytes that are no UTF-8, malformed
JSON, NaN, numbers too long to read, nesting too deep, an object that names a member twice or has very many: what would
be wrong with each of them costs more time than the requests of others may wait.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from aiohttp import web

from api.errors import ApiError

BODY_LIMIT = 64 * 1024      # bytes; 413 above, where an operation has no limit of its own
MOST_MEMBERS = 500          # of one object; those with free names have some 180 at most
READ_TIMEOUT_S = 10.0
ANY = "*/*"                 # among the types that are taken
SLOWEST = 256 * 1024        # bytes a second: who may send more has more time for it


class _Refused(ValueError):
    pass


async def read_json(request: web.Request, limit: int = BODY_LIMIT) -> Any:
    """The body as Python values. Raises ApiError; HTTPRequestEntityTooLarge above `limit` bytes."""
    if "Content-Type" in request.headers:
        require_type(request, ["application/json"])
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise ApiError(400, "body: the charset must be UTF-8")
    return parse(await read_body(request, limit))


def require_type(request: web.Request, types: Sequence[str]) -> None:
    if request.content_type not in types and ANY not in types:
        raise ApiError(415, f"body: the content type must be {' or '.join(types)}",
                       headers={"Accept": ", ".join(types)})


async def read_body(request: web.Request, limit: int) -> bytes:
    """The bytes of the body. Raises ApiError 408; HTTPRequestEntityTooLarge above `limit`."""
    body = bytearray()
    if (request.content_length or 0) > limit:
        raise web.HTTPRequestEntityTooLarge(limit, request.content_length or 0)
    try:
        async with asyncio.timeout(READ_TIMEOUT_S + limit / SLOWEST):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise web.HTTPRequestEntityTooLarge(limit, len(body))
    except TimeoutError:
        raise ApiError(408, "the body did not arrive in time") from None
    return bytes(body)


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
    if len(members) > MOST_MEMBERS:
        raise _Refused(f"an object of more than {MOST_MEMBERS} members")
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"member {twice[:100]!r} is given twice")
    return found


def _constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON")
