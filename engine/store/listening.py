"""NOTIFY, listened to without end: whoever waits for rows is woken by it, and now and then all the same.

Used by stores whose readers wait for work. A notification may be lost (a connection that breaks), a wake never: readers
look at the rows, not at what was said.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from engine.ports import StoreFailed
from engine.store.pool import connect, store_errors

RETRY_S = 1.0


async def heard(database_url: str, channel: str, wake_s: float) -> AsyncGenerator[str, None]:
    """Payloads as they come, '' at the start and after each `wake_s` without any. Never ends and never raises: a lost
    database is a wake now and then, until it is back."""
    while True:
        try:
            async with aclosing(_listen(database_url, channel, wake_s)) as payloads:
                async for payload in payloads:
                    yield payload
        except StoreFailed:
            yield ""
            await asyncio.sleep(RETRY_S)


async def _listen(database_url: str, channel: str, wake_s: float) -> AsyncGenerator[str, None]:
    connection = await connect(database_url)
    told: asyncio.Queue[str] = asyncio.Queue()
    try:
        connection.add_termination_listener(lambda _: told.put_nowait(""))
        async with store_errors():
            await connection.add_listener(channel, lambda *args: told.put_nowait(str(args[3])))
        yield ""                                    # what changed before we listened
        while True:
            payload = ""
            try:
                async with asyncio.timeout(wake_s):         # wait_for of 3.11 may swallow a cancellation
                    payload = await told.get()
            except TimeoutError:
                async with store_errors():          # also finds out that the server is gone without a word
                    await connection.execute("SELECT 1")
            if connection.is_closed():
                raise StoreFailed("the listening connection was closed")
            yield payload
    finally:
        connection.terminate()
