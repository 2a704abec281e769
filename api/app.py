"""The api process: every public API, its documentation and the probes, on one address and one database.

`create_app` makes the application for any directory (tests use the one in memory, which serves First Responder alone);
`run` serves it until SIGTERM. The api writes rows; the engine, woken by NOTIFY, does the rest. A database that is down
makes 503s, not a stopped api.
"""

import asyncio
import gc
import signal
from functools import cache

import structlog
from aiohttp import web

from api import expectation, malformed
from api.docs_page import Page, docs_routes
from api.errors import STYLES, errors
from api.first_responder.routes import routes as first_responder
from api.ictcore import routes as ictcore
from api.json_body import BODY_LIMIT
from api.openapi import document
from api.probes import FIGURES, PROBES, Figures
from api.ringward import routes as ringward
from api.ringward.frame import Base
from api.sensaphone import routes as sensaphone
from api.typed_routes import DIRECTORY, RUNNING, SERVICES
from engine import log as logging
from engine.settings import Settings
from engine.store.directory import PostgresDirectory
from engine.store.directory_port import Directory
from engine.store.pool import create_pool
from engine.vocabulary.values import RingwardError

log = structlog.get_logger()

# A client gets its 503 within this time, whatever the database does.
CONNECT_TIMEOUT_S = 2.0
COMMAND_TIMEOUT_S = 2.5
DEADLINE_S = 3.0
POOL_SIZE = 10
SHUTDOWN_S = 5.0

DESCRIPTION = """The First Responder API of Ringward: hotlines, their agents' phones, call logs and telephone records.

Place the API-Token of your organization in the header `API-TOKEN`, or your Personal Access Token in the header
`Personal-Access-Token`; either suffices. Ids of another organization are answered with 404."""


def create_app(directory: Directory, base: Base | None = None) -> web.Application:
    figures = Figures()
    app = web.Application(middlewares=[figures.observe, errors], client_max_size=BODY_LIMIT)
    app[DIRECTORY] = directory
    app[FIGURES] = figures
    app[STYLES] = {}
    app[SERVICES] = {}
    app[RUNNING] = []
    expectation.install(app)
    app.add_routes(first_responder)
    if base is not None:
        ringward.install(app, base)
        ictcore.install(app, base)
        sensaphone.install(app, base)
    app.add_routes(PROBES)
    app.add_routes(_documentation())
    return app


@cache
def _documentation() -> list[web.RouteDef]:
    return docs_routes([
        Page("First Responder", "/docs", "/openapi.json",
             document(first_responder, "First Responder API", "3.1.0", DESCRIPTION)),
        Page("Ringward", "/docs/ringward", "/ringward/v1/openapi.json", ringward.openapi()),
        Page("ICTCore", "/docs/ictcore", "/ictcore/openapi.json", ictcore.openapi()),
        Page("Sensaphone.net", "/docs/sensaphone", "/docs/sensaphone/openapi.json", sensaphone.openapi())])


async def run(settings: Settings) -> None:
    """Serve `settings.api` until SIGTERM or SIGINT. Raises RingwardError without a database's address."""
    if not settings.database_url:
        raise RingwardError("no database: start it by `ringward up`, or set DATABASE_URL")
    logging.setup(settings.log_level)
    host, _, port = settings.api.rpartition(":")
    pool = await create_pool(settings.database_url, max_size=POOL_SIZE, connect_timeout_s=CONNECT_TIMEOUT_S,
                             command_timeout_s=COMMAND_TIMEOUT_S)
    base = Base(pool, settings.database_url, settings, DEADLINE_S)
    runner = web.AppRunner(create_app(PostgresDirectory(pool, DEADLINE_S), base), access_log=None,
                           logger=malformed.SERVER, shutdown_timeout=SHUTDOWN_S)
    stop = _stop_on_signal()
    try:
        await runner.setup()
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        gc.collect()
        gc.freeze()     # what is there now stays: the collector need not look through it again and again
        gc.set_threshold(10_000, 20, 20)
        log.info("api.listening", address=[f"{it[0]}:{it[1]}" for it in runner.addresses])
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(it()) for it in runner.app[RUNNING]]
            await stop.wait()
            for task in beside:
                task.cancel()
    finally:
        await runner.cleanup()
        pool.terminate()


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
