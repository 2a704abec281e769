from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from engine.demo.api import Api, Event, Refused
from engine.demo.checks import DemoFailed


async def _told(request: web.Request) -> web.Response:
    """What came."""
    return web.json_response({
        "method": request.method, "key": request.headers.get("Idempotency-Key"), "token": request.headers["API-TOKEN"],
        "query": dict(request.query), "type": request.content_type, "text": await request.text()})


async def _rows(request: web.Request) -> web.Response:
    return web.Response(text='a,b\r\n1,"2\n3"\r\n')


async def _no(request: web.Request) -> web.Response:
    return web.Response(status=412, text="do-not-call")


async def _events(request: web.Request) -> web.Response:
    return web.Response(text=': alive\n\ndata: {"type": "t", "data": {"n": 1}, "at": "now"}\n\n')


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    app = web.Application()
    app.router.add_route("*", "/v1/told", _told)
    app.router.add_get("/v1/rows", _rows)
    app.router.add_get("/v1/no", _no)
    app.router.add_get("/v1/events", _events)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Api(session, str(server.make_url("/v1")), {"API-TOKEN": "rwo_1"})


async def test_what_is_sent_names_the_user(api: Api) -> None:
    assert await api.get("/told", limit=1) == {
        "method": "GET", "key": None, "token": "rwo_1", "query": {"limit": "1"}, "type": "application/octet-stream",
        "text": ""}
    posted = await api.post("/told", {"a": 1}, key="k")
    assert (posted["method"], posted["key"], posted["text"]) == ("POST", "k", '{"a": 1}')
    put = await api.put("/told", {"a": 2})
    assert (put["method"], put["type"], put["text"]) == ("PUT", "application/json", '{"a": 2}')


async def test_csv_goes_and_comes(api: Api) -> None:
    sent = await api.post_csv("/told", "phone\r\n")
    assert (sent["type"], sent["text"]) == ("text/csv", "phone\r\n")
    assert await api.get_csv("/rows") == [{"a": "1", "b": "2\n3"}]


async def test_a_refusal_says_with_which_code(api: Api) -> None:
    with pytest.raises(Refused, match="GET /no answered 412: do-not-call") as refused:
        await api.get("/no")
    assert refused.value.status == 412


async def test_events_come_one_by_one(api: Api) -> None:
    assert [it async for it in api.events()] == [Event("listening", {}), Event("t", {"n": 1}, "now")]


async def test_an_api_that_is_not_there_ends_the_demonstration() -> None:
    async with aiohttp.ClientSession() as session:
        nobody = Api(session, "http://127.0.0.1:1", {})
        with pytest.raises(DemoFailed, match="GET /x"):
            await nobody.get("/x")
        with pytest.raises(DemoFailed, match="GET /events"):
            await anext(nobody.events())
