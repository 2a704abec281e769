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


async def _waiting(site: AlarmSite, count: int) -> None:
    """So many wait for a lock."""
    while await site.pool.fetchval(  # noqa: ASYNC110 - of locks nobody tells
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    ) < count:
        await asyncio.sleep(0.01)
