"""`/openapi.json` and `/docs`: swagger-ui out of our own files, so that no browser downloads from elsewhere."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from swagger_ui_bundle import swagger_ui_path

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ringward API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true,
  persistAuthorization: false, tryItOutEnabled: true, validatorUrl: null});
"""
# swagger-ui writes style attributes and data: images; nothing else comes from anywhere but here
POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " \
         "connect-src 'self'; frame-ancestors 'none'"

Answer = Callable[[web.Request], Awaitable[web.Response]]


def docs_routes(document: dict[str, Any]) -> list[web.RouteDef]:
    assets = Path(str(swagger_ui_path))
    return [
        web.get("/openapi.json", _fixed(json.dumps(document), "application/json")),
        web.get("/docs", _fixed(PAGE, "text/html")),
        web.get("/docs/start.js", _fixed(START, "text/javascript")),
        web.get("/docs/swagger-ui.css", _fixed((assets / "swagger-ui.css").read_text("utf-8"), "text/css")),
        web.get("/docs/swagger-ui-bundle.js",
                _fixed((assets / "swagger-ui-bundle.js").read_text("utf-8"), "text/javascript")),
    ]


def _fixed(text: str, content_type: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        response = web.Response(text=text, content_type=content_type, charset="utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        response.enable_compression()
        return response
    return answer
