"""The way into the ICTCore API: every request below `/ictcore` and `/ictcore/api` comes to `Door.serve`.

It finds the operation (a POST may name another method by `X-HTTP-Method-Override` or `?method=`, a GET only DELETE so),
asks who calls and whether he may, and answers in the type that the client wants: JSON for `Accept: application/json`,
a path that ends in `.json` or `?format=json`, else the same text as text/plain. Nothing here knows an entity.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web
from aiohttp.hdrs import CONTENT_DISPOSITION

from api.errors import ApiError, NotFound, told
from api.ictcore.access import Access
from api.ictcore.frame import OPEN, PREFIX, STYLE, Operation, denied
from api.typed_routes import JSON, ROUTE
from engine.store.idempotency import KeyReused

OVERRIDES = {"POST": ("PUT", "DELETE", "PATCH"), "GET": ("DELETE",)}
OVERRIDE_HEADER = "X-HTTP-Method-Override"
ALLOWED_METHODS = "GET, POST, PUT, DELETE"
ALLOWED_HEADERS = f"Authorization, Authentication, Content-Type, Idempotency-Key, {OVERRIDE_HEADER}"
_ID = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_BELOW = re.compile(rf"{PREFIX}(/api)?(?=/|$)")


READS = ("_read", "_list")      # permissions of what changes nothing


@dataclass(frozen=True, slots=True)
class _Route:
    segments: tuple[str, ...]
    operation: Operation

    def values(self, segments: tuple[str, ...]) -> Mapping[str, str] | None:
        """What stands in its variables; None: it is another path."""
        found = {}
        for pattern, given in zip(self.segments, segments, strict=True):
            if not pattern.startswith("{"):
                if pattern != given:
                    return None
                continue
            name = pattern.strip("{}")
            if not given or (name.endswith("_id") and not _ID.fullmatch(given)):
                return None
            found[name] = given
        return found


class Table:
    """Paths and their operations; a word goes before a variable, so `/groups/sample/csv` before `/groups/{id}/csv`."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._routes: dict[tuple[str, int], list[_Route]] = {}
        for operation in operations:
            for path in (operation.path, *operation.also):
                segments = tuple(path.removeprefix(PREFIX).strip("/").split("/"))
                self._routes.setdefault((operation.method, len(segments)), []).append(_Route(segments, operation))
        for routes in self._routes.values():
            routes.sort(key=lambda it: [segment.startswith("{") for segment in it.segments])

    def find(self, method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
        """`path` below the prefix, still quoted. Raises NotFound, also for a method that the path does not have."""
        segments = tuple(unquote(it) for it in path.strip("/").split("/"))
        for route in self._routes.get((method, len(segments)), ()):
            if (values := route.values(segments)) is not None:
                return route.operation, values
        raise NotFound("API location")


class Door:
    """`origins`: web pages of these may call from a browser (CORS); none unless configured, `*` any."""

    def __init__(self, operations: Iterable[Operation], access: Access, origins: Iterable[str] = ()) -> None:
        self._table = Table(operations)
        self._access = access
        self._origins = frozenset(origins)

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", PREFIX + tail, self.serve) for tail in ("", "/{tail:.*}")]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        cross = self._cross(request.headers.get("Origin"))
        if request.method == "OPTIONS" and cross:
            return web.Response(headers=cross)
        try:
            answer = await self._operation(request)
        except web.HTTPException as error:
            answer = STYLE.answer(ApiError(error.status, error.reason))
        except KeyReused:
            answer = STYLE.answer(ApiError(412, "Idempotency-Key: was given with another request before"))
        except Exception as error:
            answer = STYLE.answer(told(error, request.method))
        if not answer.prepared:
            answer.headers.update(cross)
            if answer.content_type == JSON and not _wants_json(request) and CONTENT_DISPOSITION not in answer.headers:
                answer.content_type, answer.charset = "text/plain", "utf-8"
        return answer

    async def _operation(self, request: web.Request) -> web.StreamResponse:
        path = _BELOW.sub("", request.rel_url.raw_path, count=1).removesuffix(".json")
        operation, values = self._table.find(_method(request), path)
        request[ROUTE] = operation.path
        if request.method == "HEAD" and operation.permission and not operation.permission.endswith(READS):
            raise NotFound("API location")  # ICTCore also starts, stops and clones by GET: a look must not
        if operation.permission == OPEN:
            return await operation.run(request, None, values)
        call = await self._access.call(request)
        if operation.permission and not call.may(operation.permission):
            raise denied(operation.permission)
        return await operation.run(request, call, values)

    def _cross(self, origin: str | None) -> Mapping[str, str]:
        if origin is None or not self._origins & {origin, "*"}:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin",
                "Access-Control-Allow-Methods": ALLOWED_METHODS, "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": "600"}


def _method(request: web.Request) -> str:
    method = "GET" if request.method == "HEAD" else request.method
    wanted = (request.headers.get(OVERRIDE_HEADER) if method == "POST" else None) or request.query.get("method", "")
    return wanted.upper() if wanted.upper() in OVERRIDES.get(method, ()) else method


def _wants_json(request: web.Request) -> bool:
    return (JSON in request.headers.get("Accept", "") or request.query.get("format") == "json"
            or request.path.endswith(".json"))
