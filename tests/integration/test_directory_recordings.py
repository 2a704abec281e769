"""Recordings below `/ringward/v1`, on a real Postgres over real HTTP."""

import hashlib
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import FormData

from api.ringward.upload import LARGEST
from tests.directory_site import Answer, Client, DirectorySite, directory_site, wav

WAV = {"Content-Type": "audio/wav"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def _upload(client: Client, audio: bytes, **query: str) -> Answer:
    return await client("POST", "/recordings", data=audio, headers=WAV, **query)


def _form(name: str | None, audio: bytes | None) -> FormData:
    form = FormData(default_to_multipart=True)
    if name is not None:
        form.add_field("name", name)
    if audio is not None:
        form.add_field("audio", audio, filename="a.wav", content_type="audio/wav")
    return form


async def test_a_recording_is_uploaded_read_heard_renamed_and_deleted(site: DirectorySite) -> None:
    audio = wav(1.5, rate=44100, channels=2)
    made = await _upload(site.api, audio, name="Brand in Halle 3")
    assert made.status == 201
    path = made.headers["Location"]
    assert made.body == (await site.api("GET", path)).body == {
        "id": made.body["id"], "name": "Brand in Halle 3", "durationMS": 1500, "size": len(audio),
        "digest": hashlib.sha256(audio).hexdigest(), "createdAt": made.body["createdAt"]}
    heard = await site.api("GET", f"{path}/audio")
    assert heard.body == audio and heard.headers["Content-Type"] == "audio/wav"

    renamed = await site.api("PUT", path, {"name": "Feuer"})
    assert renamed.body == {**made.body, "name": "Feuer"}
    assert await site.api.all("/recordings") == [renamed.body]
    assert (await site.api("DELETE", path)).status == 204
    for method, at, body in (("GET", path, None), ("GET", f"{path}/audio", None), ("PUT", path, {"name": "X"}),
                             ("DELETE", path, None)):
        assert (await site.api(method, at, body)).status == 404


async def test_a_recording_comes_as_a_form(site: DirectorySite) -> None:
    audio = wav() + b"LIST\x04\0\0\0\r\n\r\n"          # lines in it are no lines of the form
    made = await site.api("POST", "/recordings", data=_form("Übung", audio))
    assert (made.status, made.body["name"]) == (201, "Übung")
    assert (await site.api("GET", f"{made.headers['Location']}/audio")).body == audio


async def test_what_is_wrong_with_an_upload_is_named(site: DirectorySite) -> None:
    for answer, field in (
        (await _upload(site.api, wav()), "name"), (await _upload(site.api, wav(), name="a\0b"), "name"),
        (await _upload(site.api, wav(), name="n" * 129), "name"),
        (await site.api("POST", "/recordings", data=_form(None, wav())), "name"),
        (await site.api("POST", "/recordings", data=_form("a\nb", wav())), "name"),
        (await site.api("POST", "/recordings", data=_form("A", None)), "audio"),
        (await _upload(site.api, b"", name="A"), "audio"), (await _upload(site.api, b"ID3 mp3", name="A"), "audio"),
        (await site.api("POST", "/recordings", data=b"x", headers={"Content-Type": "multipart/form-data"}),
         "Content-Type"),
    ):
        assert (answer.status, answer.fields) == (400, [field])
    other = await site.api("POST", "/recordings", data=b"ID3", headers={"Content-Type": "audio/mpeg"}, name="A")
    assert other.status == 415
    assert await site.api.all("/recordings") == []


async def test_twenty_megabytes_are_taken_and_no_more(site: DirectorySite) -> None:
    seconds = (LARGEST - 44) / 4 / 32000
    largest = wav(seconds, rate=32000, channels=2)
    assert len(largest) == LARGEST
    assert (await _upload(site.api, largest, name="A")).status == 201
    assert (await _upload(site.api, largest + b"\0", name="A")).fields == ["audio"]
    assert (await _upload(site.api, largest + bytes(100_000), name="A")).status == 413


async def test_what_an_alarm_has_still_to_play_stays(site: DirectorySite) -> None:
    made = (await _upload(site.api, wav(), name="A")).body
    path = f"/recordings/{made['id']}"
    alarm = await site.pool.fetchval(
        "INSERT INTO alarms (organisation_id, needed, plan, request) VALUES ($1, 1, $2, '{}') RETURNING id",
        site.org.id, json.dumps({"recording_id": made["id"]}))
    refused = await site.api("DELETE", path)
    assert refused.status == 409 and str(alarm) in refused.body["detail"]
    await site.pool.execute("UPDATE alarms SET state = 'failed', finished_at = now()")
    assert (await site.api("DELETE", path)).status == 204


async def test_recordings_are_their_organisations_and_its_admins(site: DirectorySite) -> None:
    other = await site.other()
    _, person = await site.somebody()
    made = (await _upload(site.api, wav(), name="A")).body
    path = f"/recordings/{made['id']}"
    for method, at, body in (("GET", path, None), ("GET", f"{path}/audio", None), ("PUT", path, {"name": "X"}),
                             ("DELETE", path, None)):
        assert (await other.api(method, at, body)).status == 404
        assert (await person(method, at, body)).status == 403
    assert (await _upload(person, wav(), name="A")).status == 403
    assert (await person("GET", "/recordings")).status == 403
    assert await other.api.all("/recordings") == [] and await site.api.all("/recordings") == [made]
