"""What operators and their machines ask: `/healthz`, `/readyz`, `/metrics`. No token, and no secrets in the answers.

The engine has no HTTP of its own: it leaves state and figures in the database, beside its heartbeat.
"""

import asyncio
from time import perf_counter

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from api.errors import Handler
from api.typed_routes import DIRECTORY, ROUTE
from engine.store.directory_port import EngineBeat, StoreFailed

BEAT_OLD_S = 10.0
PROBE_TIMEOUT_S = 3.0
log = structlog.get_logger()


class Figures:
    """The api's own figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("ringward_api_requests", "HTTP requests", ["method", "route", "status"],
                                registry=self.registry)
        self.seconds = Histogram("ringward_api_request_seconds", "time to answer", ["method", "route"],
                                 registry=self.registry)
        self.beat_age = Gauge("ringward_api_engine_beat_age_seconds", "age of the engine's heartbeat; -1: none",
                              registry=self.registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def _of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Looked up once: there are only so many routes and statuses."""
        found = self._children.get((method, route, status))
        if found is None:
            found = self.requests.labels(method, route, str(status)), self.seconds.labels(method, route)
            self._children[method, route, status] = found
        return found

    @web.middleware
    async def observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """One line and one count a request. The route's pattern stands for the path: ids and numbers stay out."""
        began = perf_counter()
        status = 499        # the client went away
        try:
            response = await handler(request)
            status = response.status
            return response
        finally:
            resource = request.match_info.route.resource
            route = request.get(ROUTE) or (resource.canonical if resource else "none")
            took_s = perf_counter() - began
            method = request.method if request.method in METHODS else "other"
            answered, seconds = self._of(method, route, status)
            answered.inc()
            seconds.observe(took_s)
            log.info("api.request", method=method, route=route, status=status, ms=round(took_s * 1000, 1))


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
FIGURES: web.AppKey[Figures] = web.AppKey("figures", Figures)


async def healthz(_: web.Request) -> web.Response:
    """This process answers."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Whether calls can be taken: 200 if all is well, else 503, and what is missing."""
    state = {"switch": False, "database": False, "speech": False, "engine": False}
    try:
        beat = await _beat(request)
    except StoreFailed:
        return web.json_response(state, status=503)
    state["database"] = True
    if beat and beat.age_s < BEAT_OLD_S:
        state |= {"engine": True, "switch": bool(beat.state.get("switch")), "speech": bool(beat.state.get("speech"))}
    return web.json_response(state, status=200 if all(state.values()) else 503)


async def metrics(request: web.Request) -> web.Response:
    """The api's figures, then the engine's as it wrote them last."""
    figures = request.app[FIGURES]
    try:
        beat = await _beat(request)
    except StoreFailed:
        beat = None
    figures.beat_age.set(beat.age_s if beat else -1)
    text = generate_latest(figures.registry).decode() + (beat.metrics if beat else "")
    return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def _beat(request: web.Request) -> EngineBeat | None:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await request.app[DIRECTORY].engine_beat()
    except TimeoutError:
        raise StoreFailed("no answer in time") from None


PROBES = [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
