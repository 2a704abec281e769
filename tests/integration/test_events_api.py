"""`/events` over real HTTP on a real Postgres: in order, resumable, and alive through whatever happens to others."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientResponse, ClientSession

from api.ringward import events as events_api
from api.ringward.events import Streams
from tests.alarm_orders import AlarmSite, alarm_site, equipped


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[AlarmSite]:
    async with alarm_site(database_url) as made:
        yield made


@dataclass
class Reader:
    """A client of server-sent events, as the standard says: an id alone sets where to go on."""

    response: ClientResponse
    last_id: str = ""
    comments: list[str] = field(default_factory=list)

    async def next(self) -> Any:
        """The next event's data; checks that id and type agree with its lines."""
        lines: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for raw in self.response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments.append(line)
                elif line:
                    name, _, value = line.partition(": ")
                    lines[name] = value
                else:
                    self.last_id = lines.get("id", self.last_id)
                    if "data" in lines:
                        data = json.loads(lines["data"])
                        assert (data["id"], data["type"]) == (lines["id"], lines["event"])
                        return data
                    lines = {}
        raise EOFError

    async def types(self, count: int) -> list[str]:
        return [(await self.next())["type"] for _ in range(count)]

    async def begun(self) -> "Reader":
        async with asyncio.timeout(10):
            async for raw in self.response.content:
                if raw.startswith(b"id: "):
                    self.last_id = raw.decode().strip()[4:]
                    return self
        raise EOFError


@asynccontextmanager
async def reading(site: AlarmSite, last_id: str | None = None, **query: str) -> AsyncIterator[Reader]:
    headers = dict(site.site.api.headers) | ({"Last-Event-ID": last_id} if last_id else {})
    async with site.site.api.session.get(site.site.api.url + "/events", headers=headers, params=query) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream"), await response.text()
        yield await Reader(response).begun()


async def _happens(site: AlarmSite, *types: str, connection: Any = None) -> None:
    await (connection or site.pool).execute(
        "INSERT INTO events (organisation_id, at, type, data) SELECT $1, now(), t, '{\"alarmID\": 1}' "
        "FROM unnest($2::text[]) AS t", site.site.org.id, list(types))


async def test_what_happens_is_told_to_its_organisation_alone(site: AlarmSite) -> None:
    other = await equipped(await site.site.other())
    async with reading(site) as reader:
        await other.posted()
        made = await site.posted()
        event = await reader.next()
    assert event["type"] == "alarm.created" and event["data"]["alarmID"] == made["id"]
    assert event["at"].endswith("Z") and event["data"]["state"] == "queued"


async def test_a_stream_goes_on_after_the_last_id(site: AlarmSite) -> None:
    async with reading(site) as reader:
        begin = reader.last_id
        await _happens(site, "a.one", "a.two", "a.three")
        assert await reader.types(1) == ["a.one"]
    async with reading(site, reader.last_id) as reader:
        assert await reader.types(2) == ["a.two", "a.three"]
    async with reading(site, begin) as reader:
        assert await reader.types(3) == ["a.one", "a.two", "a.three"]


async def test_a_stream_without_an_id_begins_now(site: AlarmSite) -> None:
    await _happens(site, "a.past")
    async with reading(site) as reader:
        await _happens(site, "a.now")
        assert await reader.types(1) == ["a.now"]


async def test_an_event_of_a_slow_transaction_is_not_passed_over(site: AlarmSite, database_url: str) -> None:
    slow = await asyncpg.connect(database_url)
    async with reading(site) as reader:
        transaction = slow.transaction()
        await transaction.start()
        await _happens(site, "a.slow", connection=slow)
        await _happens(site, "a.fast")
        await asyncio.sleep(0)
        await transaction.commit()
        assert await reader.types(2) == ["a.slow", "a.fast"]
    await slow.close()


async def test_types_are_chosen_by_name_or_group(site: AlarmSite) -> None:
    async with reading(site, types="alarm.*,recipient.acknowledged") as reader:
        await _happens(site, "call.finished", "alarm.created", "recipient.declined", "recipient.acknowledged")
        assert await reader.types(2) == ["alarm.created", "recipient.acknowledged"]


async def test_more_than_a_batch_comes_in_order(site: AlarmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_api, "BATCH", 7)
    names = [f"a.{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    async with reading(site) as reader:
        await _happens(site, *names)
        assert await reader.types(60) == names


async def test_a_silent_stream_beats(site: AlarmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_api, "HEARTBEAT_S", 0.05)
    async with reading(site) as reader, asyncio.timeout(5):
        assert (await reader.response.content.readuntil(b"still here\n")).strip()


async def test_a_stream_outlives_its_database_connections(site: AlarmSite, database_url: str) -> None:
    async with reading(site) as reader:
        killer = await asyncpg.connect(database_url)
        await killer.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                             "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        await _happens(site, "a.after", connection=killer)
        await killer.close()
        assert await reader.types(1) == ["a.after"]


async def test_a_client_that_takes_nothing_is_cut_off(site: AlarmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_api, "MOST_STREAMS", 1)
    monkeypatch.setattr(events_api, "WRITE_TIMEOUT_S", 0.1)
    async with reading(site):
        await site.pool.execute(
            "INSERT INTO events (organisation_id, at, type, data) "
            "SELECT $1, now(), 'a.big', to_jsonb(repeat('x', 200000)) FROM generate_series(1, 100)", site.site.org.id)
        async with asyncio.timeout(10):
            while not await _is_free(site):
                pass


async def _is_free(site: AlarmSite) -> bool:
    """Whether another stream would be let in."""
    headers = site.site.api.headers
    async with site.site.api.session.get(site.site.api.url + "/events", headers=headers) as response:
        return response.status == 200


async def test_a_notification_wakes_every_stream(site: AlarmSite, database_url: str) -> None:
    streams = Streams(database_url)
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(streams.run())
        assert await streams.woken(5)           # it listens
        waiting = [group.create_task(streams.woken(4)) for _ in range(3)]
        await asyncio.sleep(0)
        await _happens(site, "a.one")
        assert [await it for it in waiting] == [True] * 3
        listening.cancel()


async def test_streams_end_with_the_process(database_url: str) -> None:
    async with ClientSession() as session, AsyncExitStack() as stack:
        async with alarm_site(database_url) as site:
            url, headers = site.site.api.url + "/events", site.site.api.headers
            response = await stack.enter_async_context(session.get(url, headers=headers))
            reader = await Reader(response).begun()
        with pytest.raises(EOFError):
            await reader.next()         # the end of the answer, not of the connection


async def test_bad_parameters_and_too_many_streams_are_refused(
        site: AlarmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    api = site.site.api
    for header in ("x", "1", "1-", f"{2**64}-1", "1-99999999999999999999"):
        got = await api("GET", "/events", headers={"Last-Event-ID": header})
        assert (got.status, got.fields) == (400, ["Last-Event-ID"])
    for types in ("", "alarm", "alarm.created;x", "*"):
        assert (await api("GET", "/events", types=types)).fields == ["types"]
    monkeypatch.setattr(events_api, "MOST_STREAMS", 1)
    async with reading(site):
        got = await api("GET", "/events")
        assert got.status == 429 and got.headers["Retry-After"]
