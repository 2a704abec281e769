"""CSV import and export of a group over real HTTP: CSV Contact Import / Export for Group [/groups/{group_id}/csv]."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientError

from api.ictcore import csv_body
from api.ictcore.contact_csv import SAMPLE
from api.ictcore.csv_rows import LONGEST_ROW
from engine.store import ictcore_people
from tests.directory_site import Answer, Client
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def group(client: Client) -> str:
    return f"/groups/{(await client('POST', '/groups', {'name': 'Nord'})).body['group_id']}"


async def posted(client: Client, path: str, data: Any, content_type: str = "text/csv") -> Answer:
    return await client("POST", f"{path}/csv", data=data, headers={"Content-Type": content_type})


async def test_import_contacts_into_group(site: IctcoreSite) -> None:
    path = await group(site.admin)
    answer = await posted(site.admin, path, (
        "Phone;First name;Custom1;Address\r\n030 555-123;Jürgen;=1+1;\"Weg 1\r\nBerlin\"\r\n"
        "+43 1 58858;Anna;;\r\n").encode("latin-1"))
    assert (answer.status, answer.body) == (200, {"group_id": int(path.split("/")[-1]), "imported": 2})
    rows = (await site.admin("GET", f"{path}/contacts")).body
    assert [(it["phone"], it["first_name"], it["custom1"], it["address"]) for it in rows] == [
        ("030 555-123", "Jürgen", "=1+1", "Weg 1\r\nBerlin"), ("+43 1 58858", "Anna", "", "")]
    assert [tuple(row) for row in await site.pool.fetch("SELECT number, created_by FROM contacts ORDER BY id")] == [
        ("+4930555123", site.admin_id), ("+43158858", site.admin_id)]
    assert (await site.admin("GET", path)).body["contact_total"] == 2


async def test_export_contacts_from_group(site: IctcoreSite) -> None:
    path, again = await group(site.admin), await group(site.admin)
    assert (await site.admin("GET", f"{path}/csv")).body is None
    data = (b'"+49 30/555-1","=A","a ""b""","x@example.org","1\n2","\'=1","","","-"\n'
            b'" 0301234567","","","","","","","",""\n')
    assert (await posted(site.admin, path, data, "text/plain")).body["imported"] == 2
    out = await site.admin("GET", f"{path}/csv")
    assert out.headers["Content-Type"] == "text/csv; charset=utf-8" and "group_" in out.headers["Content-Disposition"]
    assert out.body == data.replace(b'"=A"', b'"\'=A"').replace(b'"-"', b'"\'-"')
    assert (await posted(site.admin, again, out.body)).body["imported"] == 2
    assert (await site.admin("GET", f"{again}/csv")).body == out.body
    assert (await site.admin("GET", f"{path}/csv", first_name="=a")).body == out.body[:-len(data.splitlines()[-1]) - 1]
    assert (await site.admin("GET", f"{path}/csv", email="nobody")).body is None


async def test_an_export_of_several_pages(site: IctcoreSite, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await group(site.admin)
    monkeypatch.setattr(ictcore_people, "PAGE_ROWS", 2)
    empty = 8 * ',""'
    data = "".join(f'"03012345{n:02}"{empty}\n' for n in range(6)).encode()
    await posted(site.admin, path, data)
    assert (await site.admin("GET", f"{path}/csv")).body == data
    assert (await site.admin("GET", f"{path}/csv", phone="4")).body == data.splitlines(keepends=True)[4]


async def test_an_export_that_fails_on_its_way_does_not_look_whole(
        site: IctcoreSite, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await group(site.admin)
    monkeypatch.setattr(ictcore_people, "PAGE_ROWS", 2)
    await posted(site.admin, path, b"0301234567\n" * 4)
    last = await site.pool.fetchval("SELECT max(id) FROM contacts")
    await site.pool.execute(f"""
        ALTER TABLE contacts RENAME TO whole_contacts;
        CREATE VIEW contacts AS SELECT id, organisation_id, created_by, created_at, phone, first_name, last_name, email,
            address, (1 / (id - {last}))::text AS custom1, custom2, custom3, description FROM whole_contacts""")   # noqa: S608
    with pytest.raises(ClientError):
        await site.admin("GET", f"{path}/csv")


async def test_get_sample_csv_file(site: IctcoreSite) -> None:
    sample = await site.admin("GET", "/groups/sample/csv")
    assert sample.headers["Content-Type"].startswith("text/csv") and sample.body.count(b"\n") == len(SAMPLE) == 2
    assert (await posted(site.admin, await group(site.admin), sample.body)).body["imported"] == 2


async def test_one_bad_row_and_nothing_is_imported(site: IctcoreSite) -> None:
    path = await group(site.admin)
    rows = [f"030{n:07}" for n in range(1_000_000, 1_006_000)]
    for bad in (5, 5_000):
        rows[bad] = "12,Anna,,x"
    code, message = says(await posted(site.admin, path, "\n".join(rows).encode()))
    assert code == 412 and message == (
        "Data validation failed, nothing is imported: line 6, column 4 (email): not an e-mail address; "
        "line 5001, column 4 (email): not an e-mail address")
    assert (await site.admin("GET", "/contacts")).body == []
    rows[5] = rows[5_000] = "0301234567"
    assert (await posted(site.admin, path, "\n".join(rows).encode())).body["imported"] == 6000
    assert (await site.admin("GET", f"{path}/csv")).body.decode().replace(",\"\"", "").replace('"', "").split() == rows


async def test_what_is_no_file_of_contacts_is_refused(site: IctcoreSite, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await group(site.admin)

    async def nothing() -> AsyncIterator[bytes]:
        return
        yield

    for data, content_type, code in ((b"", "text/csv", 411), (nothing(), "text/csv", 411), (b"x", "text/html", 415),
                                     (b"x", "application/json", 415), (b"x", "text/csv", 412), (b"\n", "text/csv", 412),
                                     (b"\xff\xfe0\x001\x00", "text/csv", 412)):
        assert says(await posted(site.admin, path, data, content_type))[0] == code, data
    assert says(await posted(site.admin, f"/groups/{UNKNOWN}", b"0301234567")) == (404, "Group not found")
    monkeypatch.setattr(csv_body, "LARGEST", 1000)
    assert says(await posted(site.admin, path, b"0301234567\n" * 100))[0] == 413


async def test_an_endless_line_is_refused_when_it_is_too_long(site: IctcoreSite) -> None:
    path = await group(site.admin)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"0301234567\n12\n"
        while True:
            sent += 65536
            yield b"x" * 65536
            await asyncio.sleep(0)

    code, message = says(await posted(site.admin, path, endless()))
    assert (code, message) == (412, (
        "Data validation failed, nothing is imported: line 2, column 1 (phone): not a possible phone number; "
        f"line 3: longer than {LONGEST_ROW} characters, or a quotation mark is not closed"))
    assert sent < 16 * 2**20


async def test_a_file_whose_sender_goes_away_is_not_imported(site: IctcoreSite) -> None:
    path = await group(site.admin)
    begun = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"0301234567\n" * 10_000
        begun.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        upload = tasks.create_task(posted(site.admin, path, stalled()))
        await begun.wait()
        upload.cancel()
    assert (await site.admin("GET", f"{path}")).body["contact_total"] == 0


async def test_others_are_served_while_a_file_is_imported(site: IctcoreSite) -> None:
    path = await group(site.admin)
    async with asyncio.TaskGroup() as tasks:
        upload = tasks.create_task(posted(site.admin, path, b"0301234567,Anna\n" * 20_000))
        served = 0
        while not upload.done():
            assert (await site.admin("GET", "/groups")).status == 200
            served += 1
    assert upload.result().body["imported"] == 20_000 and served > 5


async def test_a_group_that_goes_meanwhile_is_not_found(site: IctcoreSite) -> None:
    path = await group(site.admin)
    ready: asyncio.Event = asyncio.Event()
    go: asyncio.Event = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        yield b"0301234567\n"
        ready.set()
        await go.wait()
        yield b"0301234568\n"

    async with asyncio.TaskGroup() as tasks:
        upload = tasks.create_task(posted(site.admin, path, waiting()))
        await ready.wait()
        assert (await site.admin("DELETE", path)).status == 200
        go.set()
    assert says(upload.result()) == (404, "Group not found")
    assert (await site.admin("GET", "/contacts")).body == []


async def test_an_alarm_rings_a_group_that_was_imported(site: IctcoreSite) -> None:
    path = await group(site.admin)
    await posted(site.admin, path, b"phone,first_name\n030 5551230,Anna\n0049 30 5551231,Bert\n")
    org = site.directory.org.id
    await site.pool.execute("INSERT INTO numbers (number, position) VALUES ('+49305559999', 99)")
    assert (await site.directory.api("POST", "/numbers", {})).status == 201
    alarm = await site.directory.api("POST", "/alarms", {
        "organizationID": org, "message": {"de": "Brand"}, "recipients": [{"groupID": int(path.split("/")[-1])}]})
    assert alarm.status == 201, alarm
    rows = await site.pool.fetch("SELECT name, phones FROM alarm_recipients ORDER BY id")
    assert [(row["name"], list(row["phones"])) for row in rows] == [
        ("Anna", ["+49305551230"]), ("Bert", ["+49305551231"])]


