"""What every directory does, in memory and in Postgres alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.store.directory_port import (
    NameTaken,
    NoNumberLeft,
    NoSipCustomer,
    PhoneData,
    UnknownUsers,
)
from engine.store.tokens import digest
from tests.directories import CUSTOMER, NOON, World, world


@pytest.fixture
async def w(url: str | None) -> AsyncIterator[World]:
    async with world(url) as made:
        yield made


async def test_a_token_acts_for_its_organisation_or_its_user_until_it_is_revoked(w: World) -> None:
    org = await w.organisation()
    admin = (await w.directory.create_user(org.id, "chief", is_admin=True)).user_id
    of_org, of_user, of_admin = [await w.directory.issue_token(org.id, user) for user in (None, org.users[0], admin)]
    found = [await w.directory.principal(digest(token)) for token in (of_org, of_user, of_admin)]
    assert [(p.organisation_id, p.user_id, p.is_admin) for p in found if p] == [
        (org.id, None, True), (org.id, org.users[0], False), (org.id, admin, True)]
    assert await w.directory.principal(digest("rwo_other")) is None

    assert await w.directory.revoke_tokens(org.id, org.users[0]) == 1
    assert await w.directory.principal(digest(of_user)) is None
    assert await w.directory.principal(digest(of_admin)) is not None

    rotated = await w.directory.rotate_token(org.id, None)
    assert await w.directory.principal(digest(of_org)) is None
    assert await w.directory.principal(digest(rotated)) is not None


async def test_a_system_token_is_of_no_organisation(w: World) -> None:
    await w.organisation()
    found = await w.directory.principal(digest(token := await w.directory.issue_system_token()))
    assert token.startswith("rws_")
    assert found and (found.organisation_id, found.user_id, found.is_admin, found.is_system) == (0, None, False, True)
    assert await w.directory.users(0) == []
    assert await w.directory.revoke_system_tokens() == 1
    assert await w.directory.principal(digest(token)) is None


async def test_phones_are_in_their_users_order_a_new_one_last(w: World) -> None:
    org = await w.organisation()
    user = org.users[0]
    first, second = await org.phone(user, "+4930111"), await org.phone(user, "+4930222")
    data = PhoneData(user, "Handy", "+4930333", True)
    third = await w.directory.create_phone(org.id, data, 0)
    fourth = await w.directory.create_phone(org.id, data)
    assert [it.phone_id for it in await w.directory.phones(org.id, user)] == [
        first, third.phone_id, second, fourth.phone_id]
    moved = await w.directory.replace_phone(org.id, first, data, 9)
    assert moved and moved.position == 9
    kept = await w.directory.replace_phone(org.id, first, replace(data, name="Büro"))
    assert kept and kept.position == 9 and await w.directory.phone(org.id, first) == kept
    await w.directory.replace_phone(org.id, first, data, 1_000_000)
    assert (await w.directory.create_phone(org.id, data)).position == 1_000_000


async def test_tokens_are_issued_only_for_users_of_the_organisation(w: World) -> None:
    one, other = await w.organisation(), await w.organisation()
    with pytest.raises(UnknownUsers):
        await w.directory.issue_token(one.id, other.users[0])


async def test_national_numbers_are_read_in_the_country_of_the_validated_address(w: World) -> None:
    row = await w.directory.create_organisation("Pompiers", country="FR")
    token = digest(await w.directory.issue_token(row.organisation_id, None))
    found = await w.directory.principal(token)
    assert found and found.country == "FR"
    await w.directory.save_sip_customer(row.organisation_id, replace(CUSTOMER, country="AT"))
    found = await w.directory.principal(token)
    assert found and found.country == "AT"


async def test_a_users_name_is_unique_in_the_system(w: World) -> None:
    one, other = await w.organisation(), await w.organisation()
    await w.directory.create_user(one.id, "anna")
    with pytest.raises(NameTaken):
        await w.directory.create_user(other.id, "anna")


async def test_users_are_seen_and_changed_only_by_their_organisation(w: World) -> None:
    one, other = await w.organisation(), await w.organisation()
    assert [user.user_id for user in await w.directory.users(one.id)] == one.users
    assert await w.directory.user(other.id, one.users[0]) is None
    assert await w.directory.set_allow_admins(other.id, one.users[0], True) is None
    changed = await w.directory.set_allow_admins(one.id, one.users[0], True)
    assert changed and changed.allow_admins
    assert await w.directory.organisation_of_user(one.users[0]) == one.id
    assert await w.directory.organisation_of_user(999_999) is None


async def test_phones_are_made_changed_and_deleted_only_by_their_organisation(w: World) -> None:
    one, other = await w.organisation(), await w.organisation()
    phone_id = await one.phone(one.users[0], "+4930111")
    changed = PhoneData(one.users[1], "Büro", "+4930222", False)
    assert await w.directory.phone(other.id, phone_id) is None
    assert await w.directory.replace_phone(other.id, phone_id, replace(changed, user_id=other.users[0])) is None
    assert await w.directory.delete_phone(other.id, phone_id) is False
    with pytest.raises(UnknownUsers):
        await w.directory.replace_phone(one.id, phone_id, replace(changed, user_id=other.users[0]))
    with pytest.raises(UnknownUsers):
        await w.directory.create_phone(one.id, replace(changed, user_id=other.users[0]))

    phone = await w.directory.replace_phone(one.id, phone_id, changed)
    assert phone and (phone.phone_id, phone.user_id, phone.name, phone.number, phone.is_active) == (
        phone_id, one.users[1], "Büro", "+4930222", False)
    assert await w.directory.phones(one.id, one.users[0]) == []
    assert await w.directory.phones(one.id, one.users[1]) == [phone]
    assert await w.directory.delete_phone(one.id, phone_id) is True
    assert await w.directory.delete_phone(one.id, phone_id) is False


async def test_a_sip_customer_is_kept_and_replaced(w: World) -> None:
    org = (await w.directory.create_organisation("Feuerwehr")).organisation_id
    assert await w.directory.sip_customer(org) is None
    await w.directory.save_sip_customer(org, CUSTOMER)
    await w.directory.save_sip_customer(org, replace(CUSTOMER, city="Aachen"))
    assert await w.directory.sip_customer(org) == replace(CUSTOMER, city="Aachen")


async def test_a_hotline_takes_the_first_number_of_the_pool_and_gives_it_back_to_its_end(w: World) -> None:
    org = await w.organisation(numbers=0)
    assert await w.directory.add_numbers(["+49301", "+49302"]) == ["+49301", "+49302"]
    assert await w.directory.add_numbers(["+49302", "+49303"]) == ["+49303"]
    first = await org.hotline()
    assert (first.number, first.status) == ("+49301", "created")
    assert await w.directory.delete_hotline(org.id, first.hotline_id) is True
    assert await w.directory.delete_hotline(org.id, first.hotline_id) is False
    assert [(await org.hotline()).number for _ in range(3)] == ["+49302", "+49303", "+49301"]
    assert await w.directory.add_numbers(["+49301"]) == []


async def test_without_a_number_left_no_hotline_is_made(w: World) -> None:
    org = await w.organisation(numbers=1)
    await org.hotline()
    with pytest.raises(NoNumberLeft):
        await org.hotline()
    assert (await w.directory.hotlines(org.id, 10, 0)).total == 1


async def test_without_a_sip_customer_no_hotline_is_made_and_no_number_taken(w: World) -> None:
    org = await w.organisation(numbers=1)
    bare = await w.directory.create_organisation("Neu")
    with pytest.raises(NoSipCustomer):
        await w.directory.create_hotline(bare.organisation_id, org.data(agents=()))
    await org.hotline()


async def test_agents_of_another_organisation_are_refused_and_nothing_changes(w: World) -> None:
    one, other = await w.organisation(numbers=1), await w.organisation()
    with pytest.raises(UnknownUsers) as refused:
        await one.hotline(agents=(one.users[0], other.users[0], 0))
    assert refused.value.ids == (other.users[0], 0)
    hotline = await one.hotline(agents=(one.users[2], one.users[0]))
    with pytest.raises(UnknownUsers):
        await w.directory.replace_hotline(one.id, hotline.hotline_id, one.data(name="Neu", agents=(other.users[0],)))
    assert await w.directory.hotline(one.id, hotline.hotline_id) == hotline
    assert hotline.data.agents == (one.users[2], one.users[0])


async def test_hotlines_of_another_organisation_are_not_there(w: World) -> None:
    one, other = await w.organisation(), await w.organisation()
    hotline = await one.hotline()
    log_id = await w.write_log(hotline, NOON)
    assert await w.directory.hotline(other.id, hotline.hotline_id) is None
    assert await w.directory.replace_hotline(other.id, hotline.hotline_id, other.data()) is None
    assert await w.directory.delete_hotline(other.id, hotline.hotline_id) is False
    assert await w.directory.call_logs(other.id, hotline.hotline_id, 10, 0) is None
    assert await w.directory.call_log(other.id, hotline.hotline_id, log_id) is None
    assert await w.directory.records(other.id, hotline.hotline_id, 10, 0) is None
    assert (await w.directory.hotlines(other.id, 10, 0)).total == 0
    assert await w.directory.hotline(one.id, hotline.hotline_id) == hotline


async def test_pages_tell_the_total_whatever_limit_and_offset_say(w: World) -> None:
    org = await w.organisation(numbers=3)
    made = [(await org.hotline()).hotline_id for _ in range(3)]
    page = await w.directory.hotlines(org.id, 2, 1)
    assert ([row.hotline_id for row in page.items], page.total) == (made[1:], 3)
    beyond = await w.directory.hotlines(org.id, 50, 2**63 - 1)
    assert (list(beyond.items), beyond.total) == ([], 3)


async def _ready(w: World) -> None:
    for hotline in await w.hotlines.unready():
        await w.hotlines.mark_ready(hotline, "cache/a", "cache/b", None)


@pytest.mark.parametrize(("change", "status"), [
    ({}, "active"),
    ({"name": "Neu", "channels_inbound": 3, "channels_outbound": 4, "agents": ()}, "active"),
    ({"tts_inbound": "Neu"}, "starting"),
    ({"tts_outbound": "Neu"}, "starting"),
    ({"is_active": False}, "paused"),
    ({"is_active": False, "tts_inbound": "Neu"}, "paused"),
])
async def test_a_replacement_moves_the_status_only_when_the_engine_must_act(
        w: World, change: dict[str, object], status: str) -> None:
    org = await w.organisation()
    hotline = await org.hotline()
    await _ready(w)
    changed = await w.directory.replace_hotline(org.id, hotline.hotline_id, org.data(**change))
    assert changed and (changed.status, changed.data) == (status, org.data(**change))
    assert (changed.number, changed.hotline_id) == (hotline.number, hotline.hotline_id)
    assert len(await w.hotlines.unready()) == (status != "active")


async def test_a_paused_hotline_starts_again(w: World) -> None:
    org = await w.organisation()
    hotline = await org.hotline(is_active=False)
    await _ready(w)
    paused = await w.directory.hotline(org.id, hotline.hotline_id)
    assert paused and paused.status == "paused"
    started = await w.directory.replace_hotline(org.id, hotline.hotline_id, org.data())
    assert started and started.status == "starting"
    await _ready(w)
    active = await w.directory.hotline(org.id, hotline.hotline_id)
    assert active and active.status == "active"


async def test_logs_and_records_come_newest_first_with_totals(w: World) -> None:
    org = await w.organisation()
    hotline, empty = await org.hotline(), await org.hotline()
    late = await w.write_log(hotline, NOON + timedelta(hours=1), entries=3)
    early = await w.write_log(hotline, NOON)
    logs = await w.directory.call_logs(org.id, hotline.hotline_id, 10, 0)
    assert logs and ([log.log_id for log in logs.items], logs.total) == ([late, early], 2)
    second = await w.directory.call_logs(org.id, hotline.hotline_id, 1, 1)
    assert second and ([log.log_id for log in second.items], second.total) == ([early], 2)
    none = await w.directory.call_logs(org.id, empty.hotline_id, 10, 0)
    assert none and (list(none.items), none.total) == ([], 0)

    found = await w.directory.call_log(org.id, hotline.hotline_id, late)
    assert found and found[0].start_time == NOON + timedelta(hours=1)
    assert [entry.at for entry in found[1]] == sorted(entry.at for entry in found[1]) and len(found[1]) == 3
    assert await w.directory.call_log(org.id, empty.hotline_id, late) is None

    await w.write_record(hotline, early, NOON, talk_s=None)
    await w.write_record(hotline, late, NOON + timedelta(hours=1), talk_s=7)
    records = await w.directory.records(org.id, hotline.hotline_id, 10, 0)
    assert records and ([it.log_id for it in records.items], records.total) == ([late, early], 2)


async def test_a_deleted_hotline_is_not_there_and_neither_are_its_logs(w: World) -> None:
    org = await w.organisation()
    hotline = await org.hotline()
    log_id = await w.write_log(hotline, NOON)
    await w.directory.delete_hotline(org.id, hotline.hotline_id)
    assert await w.directory.hotline(org.id, hotline.hotline_id) is None
    assert await w.directory.call_logs(org.id, hotline.hotline_id, 10, 0) is None
    assert await w.directory.call_log(org.id, hotline.hotline_id, log_id) is None
    assert await w.directory.replace_hotline(org.id, hotline.hotline_id, org.data()) is None


@pytest.mark.parametrize("age_s", [42, -42])
async def test_the_engines_heartbeat_and_figures_are_told(w: World, age_s: float) -> None:
    """One that is to come, since the clock was put back, is no younger than one that was."""
    assert await w.directory.engine_beat() is None
    await w.beat(age_s, {"switch": True}, "ringward_calls 1\n")
    beat = await w.directory.engine_beat()
    assert beat and (round(beat.age_s), beat.state, beat.metrics) == (42, {"switch": True}, "ringward_calls 1\n")


async def test_hotlines_made_at_once_get_different_numbers(w: World) -> None:
    org = await w.organisation(numbers=5)
    made = await asyncio.gather(*[org.hotline() for _ in range(5)])
    assert len({hotline.number for hotline in made}) == 5
    with pytest.raises(NoNumberLeft):
        await org.hotline()
