"""What all of `/ringward/v1` shares: problem details, cursors, other statuses."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web

from api.app import create_app
from api.errors import ApiError, Problem
from api.problem import PROBLEM
from api.ringward.frame import Base, CursorQuery, Refused, cursor_of, listing
from engine.settings import Settings
from tests.directories import world


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The whole API without a database: good for what is refused before one is asked."""
    nothing: Any = None
    async with world(None) as made:
        runner = web.AppRunner(create_app(made.directory, Base(nothing, "", Settings(), 1)), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield "http://{}:{}".format(*runner.addresses[0][:2])
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/ringward/v1/nothing", 404), ("GET", "/ringward/v1", 404), ("PATCH", "/ringward/v1/alarms", 405),
    ("GET", "/ringward/v1/alarms", 401)])
async def test_whatever_is_refused_below_the_prefix_is_a_problem(
        url: str, method: str, path: str, status: int) -> None:
    async with ClientSession() as session, session.request(method, url + path) as got:
        problem = await got.json(content_type="application/problem+json")
        assert (got.status, problem["status"], problem["type"]) == (status, status, "about:blank")
        assert problem["title"] and problem["detail"]
        assert ("Allow" in got.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/ringward/v12", "/nothing", "/api/v1/first-responder/nothing"])
async def test_elsewhere_it_is_the_error_body_of_first_responder(url: str, path: str) -> None:
    async with ClientSession() as session, session.get(url + path) as got:
        assert got.status == 404 and (await got.json()).keys() == {"success", "message", "error"}


async def test_both_apis_have_a_document_and_a_page(url: str) -> None:
    async with ClientSession() as session:
        for page, document, title in (("/docs", "/openapi.json", "First Responder API"),
                                      ("/docs/ringward", "/ringward/v1/openapi.json", "Ringward API")):
            async with session.get(url + page) as got:
                text = await got.text()
                assert 'href="/docs"' in text and 'href="/docs/ringward"' in text and f"{page}/start.js" in text
            async with session.get(f"{url}{page}/start.js") as got:
                assert f'"{document}"' in await got.text()
            async with session.get(url + document) as got:
                assert (await got.json())["info"]["title"] == title


async def test_the_document_tells_headers_statuses_and_problems(url: str) -> None:
    async with ClientSession() as session, session.get(url + "/ringward/v1/openapi.json") as got:
        paths = (await got.json())["paths"]
    post = paths["/ringward/v1/alarms"]["post"]
    assert {"200", "201", "400", "401", "403", "409", "413", "415", "422", "503"} <= post["responses"].keys()
    assert {"Location", "Idempotent-Replayed"} == post["responses"]["201"]["headers"].keys()
    assert [*post["responses"]["422"]["content"]] == ["application/problem+json"]
    [header] = post["parameters"]
    assert (header["name"], header["in"], header["required"]) == ("Idempotency-Key", "header", False)
    assert [*paths["/ringward/v1/events"]["get"]["responses"]["200"]["content"]] == ["text/event-stream"]


def test_a_problem_names_type_status_and_fields() -> None:
    error = Refused("never", "a[0].b", "is wrong", *[Problem(f"c{n}", "too") for n in range(30)])
    answer = PROBLEM.answer(error)
    body = json.loads(bytes(answer.body))      # type: ignore[arg-type]
    assert answer.content_type == "application/problem+json" and answer.status == body["status"] == 422
    assert body["type"] == "urn:ringward:problem:never" and body["title"] == "Unprocessable Entity"
    assert body["errors"][0] == {"field": "a[0].b", "problem": "is wrong"} and len(body["errors"]) == 20
    assert "errors" not in json.loads(bytes(PROBLEM.answer(ApiError(404, "x")).body))   # type: ignore[arg-type]


@pytest.mark.parametrize("row_id", [0, 1, 42, 2**63 - 1])
def test_a_cursor_is_what_it_was(row_id: int) -> None:
    assert CursorQuery.model_validate({"cursor": cursor_of(row_id)}).cursor == row_id


@pytest.mark.parametrize("cursor", ["", "x", "!!", "MTIz\n", cursor_of(2**63), "w6Q", "LTE", "/+", ["MQ", "MQ"]])
def test_another_text_is_no_cursor(cursor: Any) -> None:
    with pytest.raises(ValueError, match="cursor"):
        CursorQuery.model_validate({"cursor": cursor})


def test_a_page_has_a_cursor_as_long_as_there_is_more() -> None:
    assert listing([3, 2, 1], 2, lambda it: it) == ([3, 2], cursor_of(2))
    assert listing([3, 2], 2, lambda it: it) == ([3, 2], None)
    assert listing([], 2, lambda it: it) == ([], None)
