"""A CSV file written while it is read from the store, a page at a time: no more in memory than one page."""

from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from engine.ports import StoreFailed

log = structlog.get_logger()
CSV = "text/csv"


async def download(request: web.Request, name: str, pages: AsyncIterator[bytes]) -> web.StreamResponse:
    """Raises StoreFailed before the first page; later it breaks off, which alone tells that the file is not whole."""
    first = await anext(pages, b"")
    answer = web.StreamResponse(headers={
        "Content-Type": f"{CSV}; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}.csv"'})
    await answer.prepare(request)
    try:
        await answer.write(first)
        async for page in pages:
            await answer.write(page)
        await answer.write_eof()
    except StoreFailed:
        log.warning("api.download_broken", name=name)
        if request.transport is not None:
            request.transport.abort()
    return answer
