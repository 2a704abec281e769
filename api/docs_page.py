"""The OpenAPI documents and a page for each: swagger-ui out of our own files, so that no browser downloads from
elsewhere. Every page links to the others."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from swagger_ui_bundle import swagger_ui_path

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<style>nav {{ font: 16px sans-serif; padding: 12px 20px; background: #1b2430 }}
nav a {{ color: #fff; margin-right: 20px }}</style>
</head>
<body>
<nav>{links}</nav>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="{start}"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({{url: "{url}", dom_id: "#swagger-ui", deepLinking: true,
  persistAuthorization: false, tryItOutEnabled: true, validatorUrl: null}});
"""
# swagger-ui writes style attributes and data: images; nothing else comes from anywhere but here
POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " \
         "connect-src 'self'; frame-ancestors 'none'"

Answer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """An API: its name, where its page and its document are, and the document."""

    title: str
    path: str
    url: str
    document: dict[str, Any]


def docs_routes(pages: Sequence[Page]) -> list[web.RouteDef]:
    assets = Path(str(swagger_ui_path))
    links = " ".join(f'<a href="{page.path}">{page.title}</a>' for page in pages)
    return [
        web.get("/docs/swagger-ui.css", _fixed((assets / "swagger-ui.css").read_text("utf-8"), "text/css")),
        web.get("/docs/swagger-ui-bundle.js",
                _fixed((assets / "swagger-ui-bundle.js").read_text("utf-8"), "text/javascript")),
        *(route for page in pages for route in _page_routes(page, links)),
    ]


def _page_routes(page: Page, links: str) -> list[web.RouteDef]:
    start = f"{page.path}/start.js"
    return [
        web.get(page.url, _fixed(json.dumps(page.document), "application/json")),
        web.get(page.path, _fixed(PAGE.format(title=page.title, links=links, start=start), "text/html")),
        web.get(start, _fixed(START.format(url=page.url), "text/javascript")),
    ]


def _fixed(text: str, content_type: str) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        response = web.Response(text=text, content_type=content_type, charset="utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        response.enable_compression()
        return response
    return answer
