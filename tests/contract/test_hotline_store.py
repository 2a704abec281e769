"""What the engine sees of hotlines (`ports.HotlineStore`), in memory and in Postgres alike."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.store.directory_port import PhoneData
from engine.vocabulary.values import AgentPhone
from tests.directories import World, world


@pytest.fixture
async def w(url: str | None) -> AsyncIterator[World]:
    async with world(url) as made:
        yield made


async def test_a_hotline_is_found_by_its_digits_with_the_active_phones_in_the_agents_order(w: World) -> None:
    org = await w.organisation()
    anna, ben, carl = org.users
    await org.phone(anna, "+49301", is_active=False)
    second = await org.phone(anna, "+49302")
    first = await org.phone(ben, "+49303")
    await org.phone(carl, "+49304")
    also = await org.phone(ben, "+49300")
    stored = await org.hotline(agents=(ben, anna), channels_inbound=2, channels_outbound=3)
    hotline = await w.hotlines.by_number(stored.number[1:])
    assert hotline is not None
    assert hotline.phones == (
        AgentPhone(first, ben, "49303"), AgentPhone(also, ben, "49300"), AgentPhone(second, anna, "49302"))
    assert (hotline.hotline_id, hotline.organisation_id, hotline.number) == (
        stored.hotline_id, org.id, stored.number[1:])
    assert (hotline.channels_inbound, hotline.channels_outbound, hotline.is_active) == (2, 3, True)
    assert await w.hotlines.all() == [hotline]


async def test_phones_of_an_agent_are_rung_in_the_agents_own_order(w: World) -> None:
    org = await w.organisation()
    user = org.users[0]
    first, second = await org.phone(user, "+4930111"), await org.phone(user, "+4930222")
    await org.phone(org.users[1], "+4930333")
    number = (await org.hotline(agents=(user, org.users[1]))).number[1:]
    data = PhoneData(user, "Handy", "+4930111", True)
    await w.directory.replace_phone(org.id, first, data, 5)
    found = await w.hotlines.by_number(number)
    assert found and [phone.number for phone in found.phones] == ["4930222", "4930111", "4930333"]
    await w.directory.replace_phone(org.id, second, data)        # the same number twice: where it stands first
    found = await w.hotlines.by_number(number)
    assert found and [phone.phone_id for phone in found.phones[:-1]] == [second]


async def test_a_number_of_two_agents_is_rung_once_for_the_first(w: World) -> None:
    org = await w.organisation()
    anna, ben, _ = org.users
    await org.phone(anna, "+49301")
    of_ben = await org.phone(ben, "+49301")
    stored = await org.hotline(agents=(ben, anna))
    hotline = await w.hotlines.by_number(stored.number[1:])
    assert hotline and hotline.phones == (AgentPhone(of_ben, ben, "49301"),)


async def test_an_inactive_hotline_is_found_and_an_unknown_or_deleted_one_is_not(w: World) -> None:
    org = await w.organisation()
    paused, gone = await org.hotline(is_active=False), await org.hotline()
    await w.directory.delete_hotline(org.id, gone.hotline_id)
    found = await w.hotlines.by_number(paused.number[1:])
    assert found and not found.is_active and found.phones == ()
    assert await w.hotlines.by_number(gone.number[1:]) is None
    assert await w.hotlines.by_number("999") is None
    assert await w.hotlines.by_number("") is None


async def test_recorded_prompts_play_until_speech_is_ready_and_then_the_former_until_the_new(w: World) -> None:
    org = await w.organisation()
    stored = await org.hotline()

    async def sounds() -> tuple[str, str]:
        hotline = await w.hotlines.by_number(stored.number[1:])
        assert hotline is not None
        return hotline.greeting, hotline.ask

    assert await sounds() == ("de/welcome", "de/ask")
    [unready] = await w.hotlines.unready()
    assert (unready.tts_inbound, unready.tts_outbound, unready.language) == ("Hallo", "Drücken Sie die 1", "de")
    await w.hotlines.mark_ready(unready, "cache/one", "cache/two", None)
    assert await sounds() == ("cache/one", "cache/two")
    await w.directory.replace_hotline(org.id, stored.hotline_id, org.data(tts_inbound="Neu"))
    assert await sounds() == ("cache/one", "cache/two")
    [unready] = await w.hotlines.unready()
    await w.hotlines.mark_ready(unready, None, None, "no voice")
    assert await sounds() == ("de/welcome", "de/ask")


async def test_an_engine_that_sees_a_created_hotline_marks_it_starting_and_ready_makes_it_active(w: World) -> None:
    org = await w.organisation(numbers=3)
    on, off, failing = await org.hotline(), await org.hotline(is_active=False), await org.hotline()

    async def statuses() -> list[str]:
        return [row.status for row in (await w.directory.hotlines(org.id, 10, 0)).items]

    assert await statuses() == ["created", "created", "created"]
    unready = {hotline.hotline_id: hotline for hotline in await w.hotlines.unready()}
    assert await statuses() == ["starting", "paused", "starting"]
    await w.hotlines.mark_ready(unready[on.hotline_id], "cache/a", None, None)
    await w.hotlines.mark_ready(unready[off.hotline_id], "cache/a", None, None)
    await w.hotlines.mark_ready(unready[failing.hotline_id], None, None, "no voice")
    assert await statuses() == ["active", "paused", "error"]
    assert await w.hotlines.unready() == []


async def test_a_hotline_whose_speech_failed_can_be_tried_again(w: World) -> None:
    org = await w.organisation(numbers=2)
    stored, _ = await org.hotline(), await org.hotline()
    assert await w.hotlines.failed() == []
    first, second = await w.hotlines.unready()
    await w.hotlines.mark_ready(first, None, None, "no voice")
    await w.hotlines.mark_ready(second, "cache/a", "cache/b", None)
    assert await w.hotlines.failed() == [first]
    await w.hotlines.mark_ready(first, "cache/a", "cache/b", None)
    assert await w.hotlines.failed() == []
    found = await w.directory.hotline(org.id, stored.hotline_id)
    assert found and found.status == "active"
    await w.hotlines.mark_ready(first, None, None, "no voice")
    await w.directory.replace_hotline(org.id, stored.hotline_id, org.data(tts_inbound="Neu"))
    assert await w.hotlines.failed() == [], "the new text was not tried yet"


async def test_speech_of_an_old_revision_does_not_make_a_newer_one_ready(w: World) -> None:
    org = await w.organisation()
    stored = await org.hotline()
    [old] = await w.hotlines.unready()
    await w.directory.replace_hotline(org.id, stored.hotline_id, org.data(tts_inbound="Neu"))
    await w.hotlines.mark_ready(old, "cache/old", "cache/old", None)
    [new] = await w.hotlines.unready()
    assert (new.revision, new.tts_inbound) == (old.revision + 1, "Neu")
    row = await w.directory.hotline(org.id, stored.hotline_id)
    assert row and row.status == "starting"


async def test_changes_wake_at_least_now_and_then(w: World) -> None:
    changes = w.hotlines.changes()
    async with asyncio.timeout(10):
        assert [await anext(changes) for _ in range(3)] == [0, 0, 0]
    await changes.aclose()  # type: ignore[attr-defined]
