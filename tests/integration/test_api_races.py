"""What two clients do to the same rows at once, on a real Postgres over real HTTP."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.store.directory_port import UnknownUsers
from tests.alarm_orders import AlarmSite, alarm_site
from tests.directory_site import wav


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[AlarmSite]:
    async with alarm_site(database_url) as made:
        yield made


@pytest.mark.parametrize("is_posted_first", [True, False])
async def test_no_alarm_is_left_with_a_recording_that_is_deleted_meanwhile(
        site: AlarmSite, is_posted_first: bool) -> None:
    made = await site.site.api("POST", "/recordings", data=wav(), headers={"Content-Type": "audio/wav"}, name="Brand")
    path, message = made.headers["Location"], {"recordingID": made.body["id"]}
    async with site.pool.acquire() as connection, asyncio.timeout(8), asyncio.TaskGroup() as tasks:
        # whichever comes first is held before its last step
        if is_posted_first:
            async with connection.transaction():
                await connection.execute("SELECT 1 FROM organisations WHERE id = $1 FOR UPDATE", site.site.org.id)
                post = tasks.create_task(site.post(message=message))
                await _waiting(site, 1)
                delete = tasks.create_task(site.site.api("DELETE", path))
                await _waiting(site, 2)
        else:
            async with connection.transaction():
                await connection.execute("DELETE FROM recordings")
                post = tasks.create_task(site.post(message=message))
                await _waiting(site, 1)
            delete = tasks.create_task(site.site.api("DELETE", path))
        posted, deleted = await post, await delete
    if is_posted_first:
        assert (posted.status, deleted.status) == (201, 409), (posted, deleted)
    else:
        assert (posted.status, posted.fields, deleted.status) == (400, ["message.recordingID"], 404)


async def test_a_user_is_deleted_while_his_hotline_is_changed(site: AlarmSite) -> None:
    """The change has looked at the first agent's row when the second agent goes: nobody waits in a circle."""
    org = site.site.org
    agents = tuple(site.users[:2])
    hotline = await org.hotline(agents=agents)

    async def change() -> None:
        with pytest.raises(UnknownUsers):
            await site.site.world.directory.replace_hotline(org.id, hotline.hotline_id, org.data(agents=agents))

    async with site.pool.acquire() as connection, asyncio.timeout(8), asyncio.TaskGroup() as tasks:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM users WHERE id = $1 FOR UPDATE", agents[0])
            tasks.create_task(change())
            await _waiting(site, 1)
            delete = tasks.create_task(site.site.api("DELETE", f"/users/{agents[1]}"))
            await asyncio.wait([delete], timeout=0.3)
        assert (await delete).status == 204


async def test_a_webhook_is_deleted_while_an_engine_saves_what_it_is_to_be_told(site: AlarmSite) -> None:
    """A save that fails costs the engine its memory: whatever people do to webhooks, it goes through."""
    org = site.site.org.id
    webhook = (await site.site.api("POST", "/webhooks", {"url": "https://8.8.8.8/", "types": ["alarm.created"]})).body
    await site.pool.execute(
        "CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NEW; END'")
    await site.pool.execute(
        "CREATE TRIGGER slow BEFORE INSERT ON webhook_deliveries FOR EACH ROW EXECUTE FUNCTION pause()")
    async with site.pool.acquire() as connection, asyncio.timeout(8), asyncio.TaskGroup() as tasks:
        await connection.execute("SELECT pg_advisory_lock(4711)")
        save = tasks.create_task(site.pool.execute(
            "INSERT INTO events (organisation_id, at, type, data) VALUES ($1, now(), 'alarm.created', '{}')", org))
        await _waiting(site, 1)
        delete = tasks.create_task(site.site.api("DELETE", f"/webhooks/{webhook['id']}"))
        await asyncio.wait([delete], timeout=0.3)
        await connection.execute("SELECT pg_advisory_unlock(4711)")
        await save
        assert (await delete).status == 204
    assert await site.pool.fetchval("SELECT count(*) FROM webhook_deliveries") == 0


async def _waiting(site: AlarmSite, count: int) -> None:
    """So many wait for a lock."""
    while await site.pool.fetchval(  # noqa: ASYNC110 - of locks nobody tells
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    ) < count:
        await asyncio.sleep(0.01)
