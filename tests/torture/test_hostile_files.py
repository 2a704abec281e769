"""Names that are paths, types that are pages, cells that are formulas: what is uploaded and downloaded."""

import csv
import io
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.directory_site import directory_site, wav
from tests.torture.hostile_bodies import WAV
from tests.torture.hostile_estate import Estate, Heard
from tests.torture.hostile_routes import Route
from tests.torture.hostile_texts import Canary, texts
from tests.torture.report import Tally

FORMULAS = ("=cmd|' /C calc'!A0", "+1+cmd|x", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "=HYPERLINK(\"http://x\")",
            "==1", ";=1", ",=1", "\"=1", "=1\n=2", "|=1", "%0A=1")
ESCAPES = ("../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f1", "....//1", "..\\..\\1", "/etc/passwd",
           "1%00.wav", "~root", "%252e%252e%252f", "1/../2", ".", "..", "1;2", "C:%5C1", "\u2215etc", "%c0%ae%c0%ae/")
PART = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
MEDIA = ("recordings", "documents", "templates")


@pytest.fixture
async def estate(database_url: str) -> AsyncIterator[Estate]:
    async with directory_site(database_url) as site:
        yield await Estate.built(site.api.session, site.root, site.pool)


async def test_no_name_of_an_upload_becomes_a_path(estate: Estate, tmp_path: Path, tally: Tally) -> None:
    """As the name of a recording, of a form's field and its file; what comes back is named by us."""
    canary = Canary(tmp_path)
    upload = Route("ringward", "POST", "/recordings")
    for name in (f"../../../../..{canary.file}", str(canary.file), f"{canary.file}.wav", f"a\0{canary.file}",
                 'x"; y="z', "C:\\x"):
        form = PART.format("audio", f'; filename="{name}"').encode() + wav(0.1) + b"\r\n" + (
            PART.format("name", "") + f"{name}\r\n--b--\r\n").encode()
        for got in (await estate.ask(upload, data=wav(0.1), query={"name": name}, headers={"Content-Type": WAV}),
                    await estate.ask(upload, data=form, query={}, headers={
                        "Content-Type": "multipart/form-data; boundary=b"})):
            assert got.status in (201, 400), (name, got)
            if got.status == 201:
                path = f"/recordings/{got.json['id']}/audio"
                assert _is_ours(await estate.ask(Route("ringward", "GET", path))), name
            tally.faults += 1
    assert os.listdir(tmp_path) == []


async def test_no_path_of_a_download_leads_out(estate: Estate, tally: Tally) -> None:
    for folder in MEDIA:
        for given in ESCAPES:
            for path in (f"/{folder}/{given}/media", f"/messages/{folder}/{given}/media", f"/{folder}/{given}"):
                got = await estate.ask(Route("ictcore", "GET", path))
                assert got.status in (400, 404) and b"root:" not in got.body, (path, got)
    for given in ESCAPES:
        for path in (f"/recordings/{given}/audio", f"/campaigns/{given}/results.csv"):
            got = await estate.ask(Route("ringward", "GET", path))
            assert got.status in (400, 404) and b"root:" not in got.body, (path, got)
        tally.faults += 1


async def test_no_type_of_an_upload_makes_a_page_of_ours(estate: Estate) -> None:
    """A mail's template is kept as whatever it calls itself; who downloads it gets a file, never a page."""
    media = Route("ictcore", "PUT", "/templates/{template_id}/media")
    for kind in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/html; charset=utf-7", "multipart/mixed"):
        put = await estate.ask(media, data=b"<script>alert(1)</script>", headers={"Content-Type": kind})
        assert put.status in (200, 415), (kind, put)
        got = await estate.ask(Route("ictcore", "GET", "/templates/{template_id}/media"))
        assert _is_ours(got) and got.headers["X-Content-Type-Options"] == "nosniff", (kind, got.headers)


async def test_no_cell_of_a_csv_file_is_a_formula(
        estate: Estate, rng: random.Random, tmp_path: Path, tally: Tally) -> None:
    """Contacts, results of a campaign: whatever they are called."""
    cells = [*FORMULAS, *rng.sample([it for it in texts(Canary(tmp_path)) if len(it) < 60], 20)]
    contact = Route("ringward", "PUT", "/contacts/{id}")
    for cell in cells:
        body = {**estate.body(contact), "firstName": cell[:60], "description": cell, "custom1": cell, "address": cell}
        changed = await estate.ask(contact, body=body)
        assert changed.status in (200, 400), (cell, changed)
        await estate.pool.execute("UPDATE results SET data = $1, name = $1 WHERE spool_id = $2",
                                  cell.replace("\0", "").encode("utf-8", "replace").decode(), estate.own["spool"])
        await estate.pool.execute("UPDATE spools SET campaign_id = $1 WHERE id = $2", estate.own["campaign"],
                                  estate.own["spool"])
        await estate.pool.execute("UPDATE transmissions SET campaign_id = $1 WHERE id = $2", estate.own["campaign"],
                                  estate.own["transmission"])
        for route in (Route("ictcore", "GET", "/groups/{group_id}/csv"),
                      Route("ringward", "GET", "/campaigns/{id}/results.csv")):
            got = await estate.ask(route)
            assert got.status == 200 and _formulas(got.body) == [], (cell, route.name, got)
        tally.faults += 1


def _formulas(body: bytes) -> list[str]:
    """Cells that a spreadsheet would compute; a phone number is none, whatever stands in front of it."""
    text = body.decode("utf-8-sig")
    return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row
            if cell[:1] in ("=", "@", "+", "-", "\t", "\r") and not cell.strip("+ 0123456789()/.-") == ""]


def _is_ours(got: Heard) -> bool:
    """Told as a file, under a name without a path."""
    said = got.headers.get("Content-Disposition", "")
    return got.status == 200 and not set("/\\\0\r\n;") & set(said.partition("filename=")[2]) and ".." not in said
