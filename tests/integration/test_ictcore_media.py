"""The files of documents, recordings and templates below `/ictcore`, on a real Postgres over real HTTP."""

import asyncio
import hashlib
import io
import json
import wave
from collections.abc import AsyncIterator
from typing import Any

import pypdf
import pytest

from api.ictcore.media import LARGEST
from api.ictcore.pictures import PNG
from engine.store.recordings import PostgresRecordings
from tests.directory_site import Answer, Client, wav
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says

BODIES: dict[str, dict[str, Any]] = {
    "document": {"name": "Plan"}, "recording": {"name": "Ansage"},
    "template": {"name": "Brief", "subject": "Übung", "body": "<p>Hallo</p>"}}
PDF = "application/pdf"
WAV = "audio/wav"


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def create(client: Client, kind: str) -> str:
    """The path of a new one."""
    made = await client("POST", f"/messages/{kind}s", BODIES[kind])
    return f"/messages/{kind}s/{made.body[f'{kind}_id']}"


async def upload(client: Client, path: str, content: bytes, content_type: str, method: str = "PUT") -> Answer:
    return await client(method, f"{path}/media", data=content, headers={"Content-Type": content_type})


def pdf(pages: int = 1) -> bytes:
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def id_of(path: str) -> int:
    return int(path.rpartition("/")[2])


async def test_add_document_file_and_get_document(site: IctcoreSite) -> None:
    path = await create(site.admin, "document")
    assert says(await site.admin("GET", f"{path}/media")) == (404, "Document media not found")
    given = pdf(2)
    answer = await upload(site.admin, path, given, PDF)
    assert (answer.status, answer.body) == (200, {"document_id": id_of(path)})
    read = (await site.admin("GET", path)).body
    assert {it: read[it] for it in ("type", "pages", "size_x", "size_y", "file_name")} == {
        "type": "pdf", "pages": 2, "size_x": 595, "size_y": 842, "file_name": f"document_{id_of(path)}.pdf"}
    for media in (f"{path}/media", f"{path.removeprefix('/messages')}/media", f"/api{path}/media"):
        got = await site.admin("GET", media)
        assert got.body == given and got.headers["Content-Type"] == PDF
    assert [it["type"] for it in (await site.admin("GET", "/documents", type="pd")).body] == ["pdf"]


async def test_documents_of_other_types_are_kept_as_given(site: IctcoreSite) -> None:
    """Another file replaces the one before."""
    path = await create(site.admin, "document")
    png = PNG + bytes([0, 0, 0, 13]) + b"IHDR" + (30).to_bytes(4) + (20).to_bytes(4) + bytes(9)
    jpeg = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x14\x00\x1e\x01\x01\x11\x00"
    tiff = b"II*\0\x08\0\0\0" + b"\x02\0" + b"\0\1\4\0\1\0\0\0\x1e\0\0\0" + b"\1\1\4\0\1\0\0\0\x14\0\0\0" + bytes(4)
    for content, content_type, told, ending in (
        (png, "image/png", "image/png", "png"), (jpeg, "image/jpeg", "image/jpeg", "jpg"),
        (tiff, "image/tiff", "image/tiff", "tif"), (tiff, "image/x-tiff", "image/tiff", "tif")):
        assert (await upload(site.admin, path, content, content_type)).status == 200
        got = await site.admin("GET", f"{path}/media")
        assert got.body == content and got.headers["Content-Type"] == told
        read = (await site.admin("GET", path)).body
        assert (read["type"], read["pages"], read["size_x"], read["size_y"]) == (ending, 1, 30, 20)
    for content, content_type in ((png, PDF), (pdf(), "image/png"), (png, "image/jpeg"), (b"%PDF-1.4", PDF)):
        assert says(await upload(site.admin, path, content, content_type))[0] == 412
    assert (await site.admin("GET", f"{path}/media")).body == tiff      # what was refused changed nothing


async def test_more_pages_are_appended_to_a_document(site: IctcoreSite) -> None:
    path = await create(site.admin, "document")
    for pages in (1, 3):
        assert (await upload(site.admin, path, pdf(2 if pages == 3 else 1), PDF, "POST")).status == 200
        assert (await site.admin("GET", path)).body["pages"] == pages
    assert len(pypdf.PdfReader(io.BytesIO((await site.admin("GET", f"{path}/media")).body)).pages) == 3
    assert says(await upload(site.admin, path, b"\xff\xd8\xff", "image/jpeg", "POST"))[0] == 415
    assert says(await upload(site.admin, path, b"%PDF", PDF, "POST"))[0] == 412


async def test_of_pages_that_are_appended_at_once_none_is_lost(site: IctcoreSite) -> None:
    """Who is late is told to come again."""
    for first, expected in ((None, 1), (pdf(), 2)):
        path = await create(site.admin, "document")
        if first is not None:
            await upload(site.admin, path, first, PDF)
        answers = await asyncio.gather(*(upload(site.admin, path, pdf(), PDF, "POST") for _ in range(2)))
        late = [it for it in answers if it.status != 200]
        assert all(says(it)[0] == 423 for it in late) and len(late) < 2
        assert (await site.admin("GET", path)).body["pages"] == expected + 1 - len(late)


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_add_recording_file_and_get_recording(site: IctcoreSite, method: str) -> None:
    """Kept as it came for `/ringward/v1`, told as 8 kHz mono with 16 bits here; another file replaces it."""
    path = await create(site.admin, "recording")
    assert says(await site.admin("GET", f"{path}/media")) == (404, "Recording media not found")
    for given, content_type in ((wav(2.6, rate=44100, channels=2), "audio/x-wav"), (wav(2.6), WAV)):
        answer = await upload(site.admin, path, given, content_type, method)
        assert (answer.status, answer.body) == (200, {"recording_id": id_of(path)})
        got = await site.admin("GET", f"{path}/media")
        assert got.headers["Content-Type"] == WAV
        with wave.open(io.BytesIO(got.body)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
            assert file.getnframes() == 20800
        read = (await site.admin("GET", path)).body
        assert (read["length"], read["file_name"]) == (3, f"recording_{id_of(path)}.wav")
        ringward = await site.directory.api("GET", f"/recordings/{id_of(path)}")
        assert (ringward.body["durationMS"], ringward.body["digest"]) == (2600, hashlib.sha256(given).hexdigest())
        assert (await site.directory.api("GET", f"/recordings/{id_of(path)}/audio")).body == given


async def test_recordings_of_both_apis_are_the_same_rows(site: IctcoreSite) -> None:
    """One without a file is none for alarms yet; one of Ringward's own API is seen by who sees everybody's."""
    mine = id_of(await create(site.admin, "recording"))
    ringward = site.directory.api
    alarm = {"organizationID": site.directory.org.id, "message": {"recordingID": mine},
             "recipients": [{"phone": "+4930555123"}]}
    assert (await ringward("POST", "/numbers", {"name": "Zentrale"})).status == 201
    assert await ringward.all("/recordings") == []
    for method, body in (("GET", None), ("PUT", {"name": "X"}), ("DELETE", None)):
        assert (await ringward(method, f"/recordings/{mine}", body)).status == 404
    assert (await ringward("GET", f"/recordings/{mine}/audio")).status == 404
    assert (await ringward("POST", "/alarms", alarm)).fields == ["message.recordingID"]

    assert (await upload(site.admin, f"/recordings/{mine}", wav(), WAV)).status == 200
    posted = await ringward("POST", "/alarms", alarm)
    assert posted.status == 201, posted
    heard = await PostgresRecordings(site.pool).audio(site.directory.org.id, mine)     # as the engine reads it
    assert heard == wav()

    made = await ringward("POST", "/recordings", data=wav(), headers={"Content-Type": WAV}, name="Von dort")
    _, somebody = await site.user()
    assert [it["name"] for it in (await site.admin("GET", "/recordings")).body] == ["Ansage", "Von dort"]
    assert (await site.admin("GET", f"/recordings/{made.body['id']}/media")).body == wav()
    assert (await somebody("GET", "/recordings")).body == []


async def test_what_an_alarm_has_still_to_play_stays(site: IctcoreSite) -> None:
    path = await create(site.admin, "recording")
    await upload(site.admin, path, wav(), WAV)
    alarm = await site.pool.fetchval(
        "INSERT INTO alarms (organisation_id, needed, plan, request) VALUES ($1, 1, $2, '{}') RETURNING id",
        site.directory.org.id, json.dumps({"recording_id": id_of(path)}))
    for answer in (await upload(site.admin, path, wav(2), WAV), await site.admin("DELETE", path)):
        assert says(answer)[0] == 423 and str(alarm) in answer.body["error"]["message"]
    assert (await site.admin("PUT", path, {"name": "Neu"})).status == 200
    await site.pool.execute("UPDATE alarms SET state = 'failed', finished_at = now()")
    assert (await upload(site.admin, path, wav(2), WAV)).status == 200
    assert (await site.admin("DELETE", path)).status == 200


async def test_add_template_file_and_get_template_file(site: IctcoreSite) -> None:
    """Of any type; it is told as what it came."""
    path = await create(site.admin, "template")
    assert says(await site.admin("GET", f"{path}/media")) == (404, "Template media not found")
    length = (await site.admin("GET", path)).body["length"]
    for content, content_type, ending in (
        (b"Hallo", "text/plain", "txt"), ("Grüße".encode(), "text/plain; charset=utf-8", "txt"),
        (b"<script>", "text/html", "html"), (b"{}", "application/json", "json"),
        (b"\0\1", "application/x-other", "bin")):
        answer = await upload(site.admin, path, content, content_type)
        assert (answer.status, answer.body) == (200, {"template_id": id_of(path)})
        for headers in ({}, {"Accept": "*/*"}):
            async with site.admin.session.get(f"{site.base}{path}/media", headers={
                    **site.admin.headers, **headers}) as got:
                assert await got.read() == content and got.headers["Content-Type"] == content_type
                assert got.headers["Content-Disposition"].startswith("attachment;")
        read = (await site.admin("GET", path)).body
        assert (read["attachment"], read["length"]) == (f"template_{id_of(path)}.{ending}", length + len(content))
    assert read["type"] == "json"       # of the last file whose ending is known


async def test_media_uploads_that_are_refused(site: IctcoreSite) -> None:
    """411 empty, 415 another type, 404 unknown, 413 too large."""
    for kind, content, content_type in (
        ("document", pdf(), PDF), ("recording", wav(), WAV), ("template", b"x", "text/plain")):
        path = await create(site.admin, kind)
        for method in ("PUT", "POST"):
            assert says(await upload(site.admin, path, b"", content_type, method))[0] == 411
            unknown = await upload(site.admin, f"/messages/{kind}s/{UNKNOWN}", content, content_type, method)
            assert says(unknown) == (404, f"{kind.title()} not found")
            if kind != "template":
                assert says(await upload(site.admin, path, content, "application/zip", method))[0] == 415
        assert says(await upload(site.admin, path, bytes(LARGEST + 1), content_type))[0] == 413
        assert says(await site.admin("GET", f"{path}/media"))[0] == 404
    path = await create(site.admin, "recording")
    for content in (b"ID3", wav(0), wav(601, rate=4000)):
        assert says(await upload(site.admin, path, content, WAV))[0] == 412


async def test_media_are_their_owners(site: IctcoreSite) -> None:
    other = await site.other()
    _, owner = await site.user()
    _, somebody = await site.user()
    for kind, content, content_type in (
        ("document", pdf(), PDF), ("recording", wav(), WAV), ("template", b"x", "text/plain")):
        path = await create(owner, kind)
        assert (await upload(owner, path, content, content_type)).status == 200
        for stranger in (somebody, other.admin):
            assert says(await stranger("GET", f"{path}/media"))[0] == 404
            for method in ("PUT", "POST"):
                assert says(await upload(stranger, path, content, content_type, method))[0] == 404
        assert (await site.admin("GET", f"{path}/media")).body == content
