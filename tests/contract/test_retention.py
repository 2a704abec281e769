"""What is kept, and for how long."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from engine.store import retention
from engine.store.retention import Keep, Retention
from tests.alarm_stores import PostgresAlarmWorld, alarm_world, person

OLD, NEW = timedelta(days=31), timedelta(days=29)
KEPT = ("call_logs", "call_log_entries", "calls", "call_parts", "alarms", "alarm_recipients", "alarm_attempts",
        "alarm_notes", "events", "webhook_deliveries", "telephone_records", "recordings", "idempotency_keys",
        "pin_failures", "transmissions", "spools", "results", "schedules")


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[PostgresAlarmWorld]:
    async with alarm_world(database_url) as made:
        assert isinstance(made, PostgresAlarmWorld)
        await made.pool.execute(
            "INSERT INTO webhooks (organisation_id, url, types, secrets) VALUES (1, '', '{x}', '[]')")
        yield made


HAPPENED = (
    "WITH log AS (INSERT INTO call_logs (call_id, organisation_id, hotline_id, caller_leg, start_time) "
    "VALUES (gen_random_uuid(), 1, 1, '', $1) RETURNING id) "
    "INSERT INTO call_log_entries (call_log_id, organisation_id, at, type) SELECT id, 1, $1, 'bridged' FROM log",
    "WITH failed AS (INSERT INTO calls (id, switch, organisation_id, flow, version, phase, state, started_at) VALUES "
    "(gen_random_uuid(), 'asterisk', 1, 'alarm', 1, 'failed', '{}', $1) RETURNING id) "
    "INSERT INTO call_parts (call_id, part, state) SELECT id, 0, '{}' FROM failed",
    "INSERT INTO telephone_records (leg, call_log_id, organisation_id, hotline_id, direction, from_number, to_number, "
    "start_time, end_time, status, cause) VALUES ('', nextval('numbers_position'), 1, 1, 'inbound', '', '', $1, $1, "
    "'busy', 17)",
    "INSERT INTO recordings (organisation_id, name, audio, digest, duration_ms, created_at) "
    "VALUES (1, '', '', '', 1, $1)",
    "INSERT INTO webhook_deliveries (organisation_id, webhook_id, message_id, type, body, state, created_at) "
    "SELECT 1, 1, '', '', '', state, $1 FROM unnest('{delivered,dead,pending}'::text[]) state",
    "INSERT INTO idempotency_keys (organisation_id, key, request_digest, created_at) "
    "VALUES (1, gen_random_uuid()::text, '', $1)",
    "INSERT INTO transmissions (organisation_id, contact_id, program_id, status, last_run, created_at) "
    "SELECT 1, 1, 1, status, run, $1 FROM (VALUES ('completed', $1::timestamptz), ('invalid', NULL), "
    "('pending', NULL), ('pending_retry', $1), ('processing', $1)) v(status, run)",
    "WITH spool AS (INSERT INTO spools (organisation_id, transmission_id, status, time_end) "
    "VALUES (1, 1, 'completed', $1), (1, 1, 'connected', NULL) RETURNING id) "
    "INSERT INTO results (organisation_id, spool_id, type, name) SELECT 1, id, 'info', 'dtmf' FROM spool",
    "INSERT INTO schedules (organisation_id, type, action, data, status, last_run) "
    "SELECT 1, 'campaign', 'start', 1, status, $1 FROM generate_series(0, 3) status",
    "INSERT INTO pin_failures (number, at) VALUES ('+4930', $1)",
)


async def happened(w: PostgresAlarmWorld, ago: timedelta) -> None:
    """One of everything, so long ago; its alarm is over."""
    when = datetime.now(UTC) - ago
    for statement in HAPPENED:
        await w.pool.execute(statement, when)
    alarm = await w.post(person("Anna", "49301"), person("Ben", "49302"))
    alarm_id, anna = alarm.plan.alarm_id, alarm.persons[0].recipient_id
    await w.pool.execute(
        "INSERT INTO alarm_attempts (leg, organisation_id, alarm_id, recipient_id, phone, trunk, placed_at) "
        "VALUES (gen_random_uuid()::text, 1, $1, $2, '+49301', 'trunk', now())", alarm_id, anna)
    await w.pool.execute(
        "INSERT INTO alarm_notes (organisation_id, alarm_id, at, type) VALUES (1, $1, now(), 'created')", alarm_id)
    await w.pool.execute("UPDATE alarms SET finished_at = $1 WHERE id = $2", when, alarm_id)
    await w.pool.execute("UPDATE events SET at = $1 WHERE at > now() - interval '1 hour'", when)


async def counts(w: PostgresAlarmWorld) -> Mapping[str, int]:
    return {table: await w.pool.fetchval(f"SELECT count(*) FROM {table}") for table in KEPT}  # noqa: S608


async def test_what_is_older_than_the_settings_say_goes_and_the_rest_stays(w: PostgresAlarmWorld) -> None:
    for _ in range(5):
        await happened(w, OLD)
    old = await counts(w)
    await happened(w, NEW)
    new = {table: count - old[table] for table, count in (await counts(w)).items()}
    assert all(new.values())
    gone = await Retention(w.pool, Keep(30, 30, 30), batch=2).apply()
    assert {**gone} == {
        "call_logs": 5, "failed_calls": 5, "alarms": 5, "events": old["events"], "webhook_deliveries": 10,
        "telephone_records": 5, "recordings": 5, "idempotency_keys": 6, "pin_failures": 6, "transmissions": 10,
        "spools": 5, "schedules": 10}
    waiting = {"webhook_deliveries": 5, "transmissions": 15, "spools": 5, "results": 5, "schedules": 10}
    assert await counts(w) == {
        **new, **{table: new[table] + count for table, count in waiting.items()}, "idempotency_keys": 0,
        "pin_failures": 0}


async def test_zero_days_are_for_ever(w: PostgresAlarmWorld) -> None:
    await happened(w, OLD)
    before = await counts(w)
    await Retention(w.pool, Keep(0, 0, 0)).apply()
    assert await counts(w) == {**before, "idempotency_keys": 0, "pin_failures": 0}


async def test_what_is_kept_for_a_day_is_kept_for_a_day(w: PostgresAlarmWorld) -> None:
    await happened(w, timedelta(hours=23))
    before = await counts(w)
    await Retention(w.pool, Keep(1, 1, 1)).apply()
    assert await counts(w) == before


async def test_what_is_still_used_stays(w: PostgresAlarmWorld) -> None:
    await happened(w, OLD)
    recording_id = await w.pool.fetchval("SELECT id FROM recordings")
    alarm = await w.post(person("Anna", "49301"))
    await w.pool.execute(
        "UPDATE alarms SET plan = jsonb_set(plan, '{recording_id}', to_jsonb($2::bigint)), "
        "created_at = now() - interval '31 days' WHERE id = $1", alarm.plan.alarm_id, recording_id)
    await w.pool.execute("UPDATE calls SET phase = 'talking', id = (SELECT call_id FROM call_logs)")
    retention = Retention(w.pool, Keep(30, 30, 30))
    gone = await retention.apply()
    assert (gone["recordings"], gone["call_logs"], gone["failed_calls"], gone["alarms"]) == (0, 0, 0, 1)
    await w.pool.execute("UPDATE alarms SET finished_at = now()")
    assert (await retention.apply())["recordings"] == 1


async def test_it_is_done_at_the_start_and_daily(w: PostgresAlarmWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    assert retention.AGAIN_S == 24 * 3600
    monkeypatch.setattr(retention, "AGAIN_S", 0.02)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(Retention(w.pool, Keep(30, 30, 30)).run())
        for _ in range(2):
            await happened(w, OLD)
            async with asyncio.timeout(10):
                while (await counts(w))["pin_failures"]:  # noqa: ASYNC110 -- nobody is told
                    await asyncio.sleep(0.01)
        running.cancel()
