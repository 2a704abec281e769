"""Messages below `/ictcore`, on a real Postgres over real HTTP: what is the same of documents, recordings, templates
and texts. Named by the sections of ICTCore's guide; the files are in `test_ictcore_media.py`."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.directory_site import Client
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says


@dataclass(frozen=True)
class Kind:
    """`made`: what is sent; `filled`: what is answered of it beside that; `listed`: the columns of its list."""

    name: str
    made: dict[str, Any]
    filled: dict[str, Any]
    listed: set[str]

    @property
    def path(self) -> str:
        return f"/messages/{self.name}s"

    @property
    def id(self) -> str:
        return f"{self.name}_id"

    async def create(self, client: Client, **changes: Any) -> int:
        answer = await client("POST", self.path, {**self.made, **changes})
        assert answer.status == 200 and answer.body == {self.id: answer.body[self.id]}, answer
        made: int = answer.body[self.id]
        return made


DOCUMENT = Kind("document", {"name": "Lageplan", "description": "Halle 3"}, {
    "type": "", "file_name": "", "pages": 0, "size_x": 0, "size_y": 0, "quality": "standard", "resolution_x": 204,
    "resolution_y": 98, "ocr": ""}, {"document_id", "name", "file_name", "type", "pages", "description"})
RECORDING = Kind("recording", {"name": "Ansage", "description": "deutsch"}, {
    "type": "wav", "file_name": "", "length": 0, "codec": "pcm", "channel": 1, "sample": 8000, "bitrate": 16},
    {"recording_id", "name", "file_name", "type", "length", "description"})
TEMPLATE = Kind("template", {"name": "Einladung", "subject": "Übung", "body": "<p>Hallo\n[contact:first_name]</p>",
                             "body_alt": "Hallo", "description": "jährlich", "type": "html"},
                {"length": 44, "attachment": ""}, {"template_id", "name", "subject", "type", "length", "description"})
TEXT = Kind("text", {"name": "Kurz", "data": "Übung um 9\nbitte melden", "type": "unicode", "description": "SMS"},
            {"length": 23, "class": 1, "encoding": 2}, {"text_id", "name", "type", "length", "description"})
KINDS = (DOCUMENT, RECORDING, TEMPLATE, TEXT)


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def test_messages_collection_and_item(site: IctcoreSite) -> None:
    """POST, GET, PUT, DELETE; with and without the prefix."""
    user_id, client = await site.user()
    for kind in KINDS:
        made = await kind.create(client)
        expected = {kind.id: made, **kind.made, **kind.filled, "user_id": user_id}
        for path in (kind.path, f"/{kind.name}s", f"/api{kind.path}", f"/api/{kind.name}s"):
            assert (await client("GET", f"{path}/{made}")).body == expected
            assert (await client("GET", path)).body == [{it: expected[it] for it in kind.listed}]
        changed = await client("PUT", f"{kind.path}/{made}", {"name": "Anders"})
        assert changed.body == {**expected, "name": "Anders"} == (await client("GET", f"{kind.path}/{made}")).body
        back = await client("PUT", f"/{kind.name}s/{made}", expected)       # what was read is sent back as a whole
        assert back.body == expected
        gone = await client("DELETE", f"{kind.path}/{made}")
        assert (gone.status, gone.body) == (200, None)
        for method in ("GET", "PUT", "DELETE"):
            answer = await client(method, f"{kind.path}/{made}", {} if method == "PUT" else None)
            assert says(answer) == (404, f"{kind.name.title()} not found")
        assert (await client("GET", kind.path)).body == []


async def test_messages_that_are_not_valid(site: IctcoreSite) -> None:
    """412 names the field; nothing is made."""
    for kind, field, value in (
        *((kind, "name", value) for kind in KINDS for value in (None, "", "n" * 129, "a\0b")),
        *((kind, "description", "d" * 256) for kind in KINDS),
        (DOCUMENT, "quality", "best"), (TEMPLATE, "subject", None), (TEMPLATE, "subject", "s" * 256),
        (TEMPLATE, "subject", "a\r\nBcc: x@example.org"), (TEMPLATE, "body", None), (TEMPLATE, "body", ""),
        (TEXT, "data", None), (TEXT, "data", ""), (TEXT, "type", "t" * 33),
    ):
        answer = await site.admin("POST", kind.path, {**kind.made, field: value})
        assert says(answer)[0] == 412 and f"for {field}" in answer.body["error"]["message"], answer
    for kind in KINDS:
        made = await kind.create(site.admin)
        assert says(await site.admin("PUT", f"{kind.path}/{made}", {"name": "n" * 129}))[0] == 412
        widest = {"name": "ü" * 128, "description": "d" * 255}
        assert (await site.admin("PUT", f"{kind.path}/{made}", widest)).body | widest == (
            await site.admin("GET", f"{kind.path}/{made}")).body
        assert len((await site.admin("GET", kind.path)).body) == 1


async def test_templates_may_be_long(site: IctcoreSite) -> None:
    for length, status in ((1_000_000, 200), (1_100_000, 413)):
        body = json.dumps({**TEMPLATE.made, "body": "x" * length}).encode()
        answer = await site.admin("POST", TEMPLATE.path, data=body, headers={"Content-Type": "application/json"})
        assert answer.status == status


async def test_documents_have_the_resolution_of_their_quality(site: IctcoreSite) -> None:
    for quality, x, y in (("basic", 100, 98), ("standard", 204, 98), ("fine", 204, 196), ("super", 204, 391),
                          ("superior", 300, 300), ("ultra", 408, 391)):
        made = await DOCUMENT.create(site.admin, quality=quality)
        body = (await site.admin("GET", f"/documents/{made}")).body
        assert (body["quality"], body["resolution_x"], body["resolution_y"]) == (quality, x, y)


async def test_messages_list_filters(site: IctcoreSite) -> None:
    """Contract 3.14: id exact; name, type, description (and of templates subject and body) contains."""
    for kind in KINDS:
        first = await kind.create(site.admin, name="Erste 100%")
        second = await kind.create(site.admin, name="Zweite", description="anderes")
        for query, found in (
            ({kind.id: second}, [second]), ({kind.id: "x"}, []), ({"name": "ERSTE"}, [first]),
            ({"name": "0%"}, [first]), ({"name": "%"}, [first]), ({"name": "e_"}, []),
            ({"description": "nder"}, [second]),
            ({"name": "e", "description": "nder"}, [second]), ({"user_id": site.admin_id}, [first, second]),
            ({"user_id": UNKNOWN}, []), ({"after": 1}, [first, second]), ({"before": 1}, []),
            ({"nonsense": "1"}, [first, second]), ({"name": ""}, [first, second]), ({"pagesize": 1}, [first]),
            ({"pagesize": 1, "pageindex": 1}, [second]), ({"name": "a\0b"}, []),
        ):
            listed = (await site.admin("GET", f"/{kind.name}s", **query)).body
            assert [it[kind.id] for it in listed] == found, (kind.name, query)
    for kind, query, count in (
        (RECORDING, {"type": "wav"}, 2), (RECORDING, {"type": "gsm"}, 0), (DOCUMENT, {"type": "pdf"}, 0),
        (TEMPLATE, {"type": "htm"}, 2), (TEMPLATE, {"subject": "Übung"}, 2), (TEMPLATE, {"body": "[contact:"}, 2),
        (TEMPLATE, {"body": "nirgends"}, 0), (TEXT, {"type": "uni"}, 2), (TEXT, {"type": "plain"}, 0),
    ):
        assert len((await site.admin("GET", f"{kind.path}?{urlencode(query)}")).body) == count, (kind.name, query)


async def test_messages_of_other_users_and_organisations(site: IctcoreSite) -> None:
    """A user sees what he made; who holds `…_admin` sees all users'; nobody another organisation's."""
    other = await site.other()
    _, owner = await site.user()
    _, somebody = await site.user()
    _, keeper = await site.holding(*(it for kind in KINDS for it in (kind.name, f"{kind.name}_admin")))
    for kind in KINDS:
        made = await kind.create(owner)
        path = f"{kind.path}/{made}"
        for stranger in (somebody, other.admin):
            for method in ("GET", "PUT", "DELETE"):
                assert says(await stranger(method, path, {} if method == "PUT" else None))[0] == 404
            assert (await stranger("GET", kind.path)).body == []
        for reader in (owner, keeper, site.admin):
            assert (await reader("GET", path)).status == 200
            assert len((await reader("GET", kind.path)).body) == 1
        assert (await keeper("PUT", path, {"name": "Neu"})).body["name"] == "Neu"
        assert (await keeper("DELETE", path)).status == 200


async def test_messages_permissions(site: IctcoreSite) -> None:
    """Each operation has its own; without it 403, without a log-in 401."""
    needed = {"create": ("POST", ""), "list": ("GET", ""), "read": ("GET", "/1"), "update": ("PUT", "/1"),
              "delete": ("DELETE", "/1")}
    media = {"create": ("PUT", "/1/media"), "read": ("GET", "/1/media")}
    for kind in KINDS:
        requests = [*needed.items(), *(media.items() if kind is not TEXT else ())]
        for held in needed:
            _, client = await site.holding(f"{kind.name}_{held}")
            for permission, (method, tail) in requests:
                answer = await client(method, kind.path + tail, kind.made if method in ("POST", "PUT") else None)
                assert (answer.status == 403) == (permission != held), (kind.name, held, method, tail, answer)
        assert says(await site.client()("GET", kind.path))[0] == 401


async def test_messages_created_twice_with_one_idempotency_key(site: IctcoreSite) -> None:
    for kind in KINDS:
        key = {"Idempotency-Key": f"one-{kind.name}"}
        answers = [await site.admin("POST", kind.path, kind.made, headers=key) for _ in range(2)]
        assert answers[0].status == 200 and answers[0].body == answers[1].body
        assert says(await site.admin("POST", kind.path, {**kind.made, "name": "X"}, headers=key))[0] == 412
        assert len((await site.admin("GET", kind.path)).body) == 1


async def test_messages_of_a_deleted_organisation_are_gone(site: IctcoreSite) -> None:
    other = await site.other()
    for kind in KINDS:
        await kind.create(other.admin)
    gone = await other.directory.system("DELETE", f"/organisations/{other.directory.org.id}")
    assert gone.status == 204, gone
    for kind in KINDS:
        assert await site.pool.fetchval(f"SELECT count(*) FROM {kind.name}s") == 0     # noqa: S608 - ours
