"""The way into the Sensaphone.net API: every request below `/api/v1`, `/api/v2` and `/api/v3` comes to `Door.serve`,
but those of First Responder.

It tells the modes apart, asks who calls, and runs the operation. A path that leads nowhere is a 404; whatever else is
wrong with a request is told in `result`.
"""

import asyncio
import json
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from api.errors import ApiError, invalid, told
from api.json_body import parse, read_body
from api.sensaphone import json_mode, uri_mode
from api.sensaphone.access import Sessions
from api.sensaphone.frame import Operation, Operations
from api.sensaphone.results import STYLE, succeeded
from api.sensaphone.schemas import Head
from api.typed_routes import JSON, ROUTE

PREFIXES = ("/api/v1", "/api/v2", "/api/v3")
NOT_OURS = "first-responder"
LIMIT = 1024 * 1024     # bytes: a group of ten thousand


class Door:
    def __init__(self, operations: Operations, sessions: Sessions) -> None:
        self._operations = operations
        self._sessions = sessions

    def routes(self) -> list[web.RouteDef]:
        tail = rf"{{tail:(?!{NOT_OURS}(?:/|\Z))(?s:.*)}}"     # a line break is a character of a path like any other
        return [web.route("*", f"{prefix}/{tail}", self.serve) for prefix in PREFIXES]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        try:
            operation, body = await self._asked(request)
            answer = succeeded(await self._run(request, operation, body), operation.message)
            text = await asyncio.to_thread(json.dumps, answer)      # of large groups it takes long
            return web.Response(text=text, content_type=JSON, headers={"Cache-Control": "no-store"})
        except web.HTTPException as error:
            return STYLE.answer(ApiError(error.status, error.reason))
        except Exception as error:
            return STYLE.answer(told(error, request.method))

    async def _asked(self, request: web.Request) -> tuple[Operation, dict[str, Any]]:
        """The operation, and its body in JSON mode. Raises ApiError."""
        method = "GET" if request.method == "HEAD" else request.method
        prefix, given = PREFIXES[0], uri_mode.segments(request.rel_url.raw_path[len(PREFIXES[0]):])
        if (resource := json_mode.resource(method, given)) is not None:
            request[ROUTE] = f"{prefix}/{resource}"
            body = json_mode.body(resource, given, await _said(request))
        elif (found := uri_mode.asked(method, given)) is not None:
            path, body = found
            resource = path.resource
            request[ROUTE] = f"{prefix}/{path.pattern}"
        else:
            raise ApiError(404, "there is no such path")
        return self._operations.find(resource, body.get("request_type")), body

    async def _run(self, request: web.Request, operation: Operation, body: dict[str, Any]) -> Any:
        if operation.is_open:
            return await operation.run(request, None, body)
        try:
            head = Head.model_validate(body)
        except ValidationError as error:
            raise invalid(error) from None
        return await operation.run(request, await self._sessions.call(head.acctid, head.session), body)


async def _said(request: web.Request) -> Any:
    """JSON, whatever it calls itself. Raises ApiError."""
    body = await read_body(request, LIMIT)
    if not body.strip():
        raise ApiError(400, "body: is empty")
    return parse(body)
