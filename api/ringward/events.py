"""`/events`: what happens in an organisation, as server-sent events that can be resumed.

One listening connection wakes all streams; each reads the rows after its own cursor, so that a slow client holds
nothing in memory but the batch that is being written to it, and a lost notification costs a second.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Annotated, Any

import structlog
from aiohttp import web
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from api.access import Call
from api.errors import ApiError
from api.fields import FromUrl, utc_text
from api.ringward.frame import Base, routes
from api.typed_routes import RUNNING, SERVICES
from api.wording import saying
from engine.ports import StoreFailed
from engine.store.events import CHANNEL, EventCursor, PostgresEvents, StoredEvent
from engine.store.listening import heard

log = structlog.get_logger()
BATCH = 200
HEARTBEAT_S = 15.0
# Between two looks: at least (a busy system tells of something all the time); at most; soon after a wake that brought
# nothing (another transaction still runs, and what it may tell comes first).
LEAST_S, MOST_S, SOON_S = 0.02, 1.0, 0.05
WRITE_TIMEOUT_S = 30.0      # a client that takes nothing for so long is gone
LONGEST_S = 3600.0          # then the client connects again, and its token is checked again
MOST_STREAMS = 50           # of an organisation
RECONNECT_MS = 1000


# A misspelt group would be a stream that never says anything.
ONE_TYPE = r"(alarm|recipient|call|hotline|campaign|transmission|schedule)\.([A-Za-z]+|\*)"


class EventsQuery(FromUrl):
    types: Annotated[str | None, Field(
        pattern=rf"^{ONE_TYPE}(,{ONE_TYPE})*$", max_length=1000,
        examples=["alarm.*,recipient.acknowledged"],
        description="only these, separated by commas; default: all"), saying(
            "must be types of events such as alarm.created, or groups such as alarm.*, separated by commas; all begin "
            "with alarm, recipient, call, hotline, campaign, transmission or schedule")] = None


def _cursor(text: Any) -> Any:
    return EventCursor.parse(text) if isinstance(text, str) else text


class LastEventHeader(BaseModel):
    last_event_id: Annotated[
        EventCursor | None, BeforeValidator(_cursor), WithJsonSchema({"type": "string"}),
        Field(alias="Last-Event-ID", description="the last id that was seen: everything after it follows")] = None


class Streams:
    """What all streams share: the wake, their number, and whether the process ends."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._wake = asyncio.Event()
        self._open: Counter[int] = Counter()
        self.is_closing = False

    async def run(self) -> None:
        async for payload in heard(self._database_url, CHANNEL, wake_s=5.0):
            self.wake(payload)

    def wake(self, _: str = "") -> None:
        told, self._wake = self._wake, asyncio.Event()
        told.set()

    async def woken(self, within_s: float) -> bool:
        wake = self._wake
        try:
            async with asyncio.timeout(within_s):
                return await wake.wait()
        except TimeoutError:
            return False

    async def close(self, _: web.Application) -> None:
        self.is_closing = True
        self.wake()

    @contextmanager
    def counted(self, organisation_id: int) -> Iterator[None]:
        if self._open[organisation_id] >= MOST_STREAMS:
            raise ApiError(429, f"the organization has {MOST_STREAMS} streams open already",
                           headers={"Retry-After": "30"})
        self._open[organisation_id] += 1
        try:
            yield
        finally:
            self._open[organisation_id] -= 1


@routes.on("GET", "/events", 403, 429, tag="events", produces="text/event-stream")
async def stream_events(call: Call, request: web.Request, query: EventsQuery, header: LastEventHeader,
                        events: PostgresEvents, streams: Streams) -> web.StreamResponse:
    """What happens, as server-sent events: alarms, their recipients and calls, hotlines and theirs, campaigns.

    `event` is the type, `id` says where to go on, `data` is `{"id", "type", "at", "data"}`. Given back as
    `Last-Event-ID`, as browsers do by themselves, an id gets everything after it; without one the stream begins now. A
    comment comes every 15 seconds. The stream ends after an hour; connect again.
    """
    wanted = wanted_types(query.types)
    return await stream(call, request, header, lambda it: wanted(it.type), events, streams)


async def stream(call: Call, request: web.Request, header: LastEventHeader, wanted: Callable[[StoredEvent], bool],
                 events: PostgresEvents, streams: Streams) -> web.StreamResponse:
    """The events of the organisation that are `wanted`. Raises ApiError 429."""
    with streams.counted(call.organisation_id):
        cursor = header.last_event_id or await events.now()
        response = web.StreamResponse(headers={
            "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        one = _Stream(call.organisation_id, events, streams, cursor, wanted, response, request)
        try:
            await one.run()
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()       # what is still unsent to it is not waited for
    return response


class _Stream:
    """One client. It ends by the client, by the process, or by its age; the database may come and go."""

    def __init__(self, organisation_id: int, events: PostgresEvents, streams: Streams, cursor: EventCursor,
                 wanted: Callable[[StoredEvent], bool], response: web.StreamResponse, request: web.Request) -> None:
        self._organisation_id = organisation_id
        self._events = events
        self._streams = streams
        self._cursor = cursor
        self._wanted = wanted
        self._response = response
        self._request = request
        self._written_at = monotonic()

    async def run(self) -> None:
        # the id alone: a client that is cut off before the first event goes on from here
        await self._write(f"retry: {RECONNECT_MS}\nid: {self._cursor}\n\n")
        until, pause_s = monotonic() + LONGEST_S, SOON_S
        while not self._is_over(until):
            if await self._read_on():
                pause_s = LEAST_S
                await asyncio.sleep(LEAST_S)
                continue
            if monotonic() - self._written_at >= HEARTBEAT_S:
                await self._write(": still here\n\n")
            is_woken = await self._streams.woken(pause_s)
            pause_s = SOON_S if is_woken else min(2 * pause_s, MOST_S)
            if is_woken:
                await asyncio.sleep(LEAST_S)

    def _is_over(self, until: float) -> bool:
        transport = self._request.transport
        return self._streams.is_closing or transport is None or transport.is_closing() or monotonic() > until

    async def _read_on(self) -> bool:
        """Whether there was something; a database that is away has nothing."""
        try:
            found = await self._events.after(self._organisation_id, self._cursor, BATCH)
        except StoreFailed as error:
            log.warning("api.events", error=str(error))
            return False
        if not found:
            return False
        if text := "".join(_text(it) for it in found if self._wanted(it)):
            await self._write(text)
        self._cursor = found[-1].cursor
        return True

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await self._response.write(text.encode())
        self._written_at = monotonic()


def _text(event: StoredEvent) -> str:
    said = {"id": str(event.cursor), "type": event.type, "at": utc_text(event.at), "data": event.data}
    return f"id: {event.cursor}\nevent: {event.type}\ndata: {json.dumps(said, ensure_ascii=False)}\n\n"


def wanted_types(types: str | None) -> Callable[[str], bool]:
    """Whether a type is among them; None: all are."""
    if types is None:
        return lambda _: True
    given = frozenset(types.split(","))
    return lambda kind: kind in given or f"{kind.partition('.')[0]}.*" in given


def install(app: web.Application, base: Base) -> None:
    streams = Streams(base.url)
    app[SERVICES][Streams] = streams
    app[SERVICES][PostgresEvents] = PostgresEvents(base.pool, base.deadline_s)
    app[RUNNING].append(streams.run)
    app.on_shutdown.append(streams.close)
