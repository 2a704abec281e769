"""What AstDB should say, what has to change, and what the fallback left there."""

from datetime import UTC, datetime
from typing import Any

import structlog.testing

from engine.switch.asterisk.database import CHUNK, difference, fallback_rows, wanted_rows
from engine.switch.asterisk.encoder import database_key, row
from engine.vocabulary.values import AgentPhone, Hotline


def hotline(**changes: Any) -> Hotline:
    fields: dict[str, Any] = {
        "hotline_id": 7, "organisation_id": 1, "number": "4930123", "language": "de", "is_active": True,
        "channels_inbound": 3, "channels_outbound": 500, "greeting": "cache/9f", "ask": "de/ask",
        "phones": (AgentPhone(1, 1, "49171"), AgentPhone(2, 1, "49172"))}
    return Hotline(**{**fields, **changes})


def test_a_hotline_is_a_row_and_its_phones_are_chunks() -> None:
    assert wanted_rows([hotline()]) == {"rw/4930123": "7:1:3:de:cache/9f:de/ask", "rwp/4930123/0": "49171-49172"}
    assert wanted_rows([hotline(is_active=False, phones=())]) == {"rw/4930123": "7:0:3:de:cache/9f:de/ask"}


def test_only_as_many_phones_as_there_are_outbound_channels() -> None:
    assert wanted_rows([hotline(channels_outbound=1)])["rwp/4930123/0"] == "49171"


def test_many_phones_are_many_chunks_each_of_which_can_be_written() -> None:
    phones = tuple(AgentPhone(n, n, f"49171{n:010}") for n in range(CHUNK * 2 + 1))
    rows = wanted_rows([hotline(phones=phones)])
    chunks = [rows[f"rwp/4930123/{n}"] for n in range(3)]
    assert "-".join(chunks).split("-") == [phone.number for phone in phones]
    for key, value in rows.items():
        assert database_key(key) and len(": ".join(row("RW_V", value))) <= 1000


def test_only_differences_are_written_and_the_hotline_after_its_phones() -> None:
    wanted = wanted_rows([hotline()])
    assert difference(wanted, wanted) == ({}, [])
    writes, deletes = difference(wanted, {"rw/49": "x", "rwp/4930123/0": "49171-49172"})
    assert (list(writes), deletes) == (["rw/4930123"], ["rw/49"])
    writes, _ = difference(wanted, {})
    assert list(writes) == ["rwp/4930123/0", "rw/4930123"]


def test_rows_of_fallbacks_come_oldest_first() -> None:
    found = {
        "fb/1795295205.3/1795295206500-1795295206.9-leg": "leg:49171:4930123:49170:BUSY:17",
        "fb/1795295205.3/1795295205123-1795295205.3-start": "start::4930123:49170::",
        "fb/1795295205.3/1795295209000-1795295205.3-ended": "ended::4930123:49170::0",
    }
    start, leg, ended = fallback_rows(found)
    assert start.at == datetime.fromtimestamp(1795295205.123, UTC)
    assert (start.step, start.leg, start.channel_leg, start.did, start.caller) == (
        "start", "1795295205.3", "1795295205.3", "4930123", "49170")
    assert (leg.step, leg.number, leg.status, leg.cause, leg.channel_leg) == (
        "leg", "49171", "BUSY", 17, "1795295206.9")
    assert ended.cause == 16
    assert start.key in found


def test_an_unreadable_row_is_logged_and_left() -> None:
    with structlog.testing.capture_logs() as logs:
        assert list(fallback_rows({"fb/x": "?", "fb/1.2/x-1.2": "start:::::", "fb/1.2/3-1.2": "start"})) == []
    assert len(logs) == 3
