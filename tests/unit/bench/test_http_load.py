"""The load client of the bench of the api."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.http_load import loaded, request


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        seen.append((await request.text(), request.headers["X"]))
        return web.Response(status=201 if request.method == "POST" else 200, text="x" * 10_000)

    seen: list[tuple[str, str]] = []
    app = web.Application()
    app.router.add_route("*", "/a", answer)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url(""))
    await server.close()


def post(number: int) -> bytes:
    return request("POST", "/a", {"X": str(number)}, b"{}")


async def test_every_answer_is_whole_and_counted(url: str) -> None:
    load = await loaded(url, post, 3, 0.2, 201)
    assert load.answered == len(load.took_s) >= 3
    assert load.a_second == pytest.approx(load.answered / load.seconds)


async def test_another_answer_than_the_wanted_one_is_an_error(url: str) -> None:
    with pytest.raises(RuntimeError, match=r"not a 200: HTTP/1\.1 201"):
        await loaded(url, post, 1, 0.05, 200)
