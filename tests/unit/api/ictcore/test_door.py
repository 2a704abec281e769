"""The way into the ICTCore API: which path is which operation, and which web pages may come in."""

from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request

from api.errors import ApiError
from api.ictcore.access import Access
from api.ictcore.door import Door, Table
from api.ictcore.frame import Call, Routes


def table() -> Table:
    routes = Routes()

    @routes.on("GET", "/groups/{group_id}/csv", permission="", tag="t", also=("/lists/{group_id}",))
    async def export(call: Call, group_id: int) -> None: ...

    @routes.on("GET", "/groups/sample/csv", permission="", tag="t")
    async def sample(call: Call) -> None: ...

    @routes.on("GET", "/programs/{program_id}", permission="", tag="t")
    async def program(call: Call, program_id: int) -> None: ...

    @routes.on("GET", "/programs/{type}", permission="", tag="t")
    async def programs_of_type(call: Call, type: str) -> None: ...
    return Table(routes.operations)


@pytest.mark.parametrize("path, name, values", [
    ("/groups/sample/csv", "sample", {}), ("/groups/7/csv", "export", {"group_id": "7"}),
    ("/groups/-1/csv", "export", {"group_id": "-1"}), ("/lists/7", "export", {"group_id": "7"}),
    ("/lists/7/", "export", {"group_id": "7"}), ("/programs/7", "program", {"program_id": "7"}),
    ("/programs/voice%20tts", "programs_of_type", {"type": "voice tts"}),
])
def test_paths(path: str, name: str, values: dict[str, str]) -> None:
    operation, found = table().find("GET", path)
    assert (operation.handler.__name__, found) == (name, values)


@pytest.mark.parametrize("method, path", [
    ("GET", "/groups/x/csv"), ("GET", "/groups/٣/csv"), ("GET", "/groups/1e3/csv"), ("GET", f"/groups/{10**20}/csv"),
    ("POST", "/groups/7/csv"), ("GET", "/groups"), ("GET", "/programs/"), ("GET", "/programs//"), ("GET", ""),
])
def test_paths_that_are_none(method: str, path: str) -> None:
    with pytest.raises(ApiError) as raised:
        table().find(method, path)
    assert raised.value.status == 404


@pytest.mark.parametrize("origins, origin, allowed", [
    ([], "https://a.example", None), (["https://a.example"], "https://a.example", "https://a.example"),
    (["https://a.example"], "https://a.example.evil", None), (["*"], "https://b.example", "https://b.example"),
    (["https://a.example"], None, None),
])
async def test_pages_of_other_sites(origins: list[str], origin: str | None, allowed: str | None) -> None:
    door = Door([], cast(Access, None), origins)
    headers: dict[str, Any] = {} if origin is None else {"Origin": origin}
    for method, status in (("OPTIONS", 200 if allowed else 404), ("GET", 404)):
        answer = await door.serve(make_mocked_request(method, "/ictcore/contacts", headers=headers))
        assert (answer.status, answer.headers.get("Access-Control-Allow-Origin")) == (status, allowed)
