"""Call logs and telephone records, as clients get them."""

from datetime import timedelta

import pytest

from tests.api_client import Site
from tests.directories import NOON


async def test_call_logs_come_newest_first_with_a_total(site: Site) -> None:
    hotline = await site.org.hotline()
    late = await site.world.write_log(hotline, NOON + timedelta(seconds=5))
    early = await site.world.write_log(hotline, NOON)
    path = f"/hotlines/{hotline.hotline_id}/logs"
    newest = {"id": late, "hotlineID": hotline.hotline_id, "startTime": "2026-11-21T12:00:05.123Z"}
    oldest = {"id": early, "hotlineID": hotline.hotline_id, "startTime": "2026-11-21T12:00:00.123Z"}
    assert (await site.api("GET", path)).body == {"callLogs": [newest, oldest], "totalCallLogs": 2}
    assert (await site.api("GET", path, limit=1, offset=1)).body == {"callLogs": [oldest], "totalCallLogs": 2}
    assert (await site.api("GET", path, limit=50, offset=2)).body == {"callLogs": [], "totalCallLogs": 2}


async def test_a_call_log_has_its_entries_as_they_happened(site: Site) -> None:
    hotline = await site.org.hotline()
    log_id = await site.world.write_log(hotline, NOON, entries=2)
    got = (await site.api("GET", f"/hotlines/{hotline.hotline_id}/logs/{log_id}")).body
    first, second = got.pop("entries")
    assert got == {"id": log_id, "hotlineID": hotline.hotline_id, "startTime": "2026-11-21T12:00:00.123Z"}
    assert first == {"id": first["id"], "callLogID": log_id, "time": "2026-11-21T12:00:00.123Z", "type": "agentCalled",
                     "userID": 1, "agentPhoneID": 2, "phone": "+4930123", "message": ""}
    assert second["time"] == "2026-11-21T12:00:01.123Z"


async def test_a_log_of_another_hotline_is_not_there(site: Site) -> None:
    one, other = await site.org.hotline(), await site.org.hotline()
    log_id = await site.world.write_log(one, NOON)
    assert (await site.api("GET", f"/hotlines/{other.hotline_id}/logs/{log_id}")).status == 404
    assert (await site.api("GET", f"/hotlines/{one.hotline_id}/logs/999999")).status == 404
    got = await site.api("GET", f"/hotlines/{one.hotline_id}/logs/x")
    assert got.status == 400 and "logID" in got.says


@pytest.mark.parametrize(("talk_s", "answer", "end", "duration", "status"), [
    (7.4, "2026-11-21T12:00:02.123Z", "2026-11-21T12:00:09.523Z", 7, "answered"),
    (None, None, "2026-11-21T12:00:02.123Z", 0, "noAnswer")])
async def test_a_telephone_record_tells_one_leg(
        site: Site, talk_s: float | None, answer: str | None, end: str, duration: int, status: str) -> None:
    hotline = await site.org.hotline()
    log_id = await site.world.write_log(hotline, NOON)
    await site.world.write_record(hotline, log_id, NOON, talk_s)
    got = (await site.api("GET", f"/hotlines/{hotline.hotline_id}/records")).body
    assert got["totalRecords"] == 1
    [record] = got["records"]
    assert record == {
        "id": record["id"], "hotlineID": hotline.hotline_id, "callLogID": log_id, "direction": "outbound",
        "from": "+4930123", "to": "+49170123", "startTime": "2026-11-21T12:00:00.123Z", "answerTime": answer,
        "endTime": end, "duration": duration, "status": status, "cause": 16, "fallback": False}


async def test_records_come_newest_first_with_a_total(site: Site) -> None:
    hotline = await site.org.hotline()
    log_id = await site.world.write_log(hotline, NOON)
    for second in (3, 1, 2):
        await site.world.write_record(hotline, log_id, NOON + timedelta(seconds=second), None)
    got = (await site.api("GET", f"/hotlines/{hotline.hotline_id}/records", limit=2)).body
    assert [it["startTime"][17:19] for it in got["records"]] == ["03", "02"]
    assert got["totalRecords"] == 3
