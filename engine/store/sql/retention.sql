-- What is kept no longer. Used by engine/store/retention.py: each statement is one batch, asked again until it finds nothing.
-- $1 how old, $2 how many. Ids rise with time, so the old rows are among the first by id: no index on times is needed, and
-- a batch reads no more than twenty times what it deletes. Every statement returns how many rows went.

-- name: call_logs
-- With their entries. A live call still writes into its log.
WITH gone AS (
    DELETE FROM call_logs WHERE id = ANY(ARRAY(
        SELECT oldest.id FROM (SELECT id, call_id, start_time FROM call_logs ORDER BY id LIMIT 20 * $2::bigint) oldest
        WHERE oldest.start_time < now() - $1::interval AND NOT EXISTS (SELECT FROM calls c WHERE c.id = oldest.call_id)
        LIMIT $2::bigint))
    RETURNING id
), entries AS (
    DELETE FROM call_log_entries USING gone WHERE call_log_entries.call_log_id = gone.id
)
SELECT count(*) FROM gone

-- name: failed_calls
-- Calls that a defect ended keep their row for the operator: few, in a table that is small.
WITH gone AS (
    DELETE FROM calls WHERE id = ANY(ARRAY(
        SELECT id FROM calls WHERE phase = 'failed' AND started_at < now() - $1::interval LIMIT $2::bigint))
    RETURNING id
), parts AS (
    DELETE FROM call_parts USING gone WHERE call_parts.call_id = gone.id
)
SELECT count(*) FROM gone

-- name: alarms
-- With their recipients, attempts and timeline, by reference.
WITH gone AS (
    DELETE FROM alarms WHERE id = ANY(ARRAY(
        SELECT oldest.id FROM (SELECT id, finished_at FROM alarms ORDER BY id LIMIT 20 * $2::bigint) oldest
        WHERE oldest.finished_at < now() - $1::interval LIMIT $2::bigint))
    RETURNING id
)
SELECT count(*) FROM gone

-- name: transmissions
-- What is over. Campaigns keep their counts; one that goes on calls nobody again for it, since its place in its list is not
-- kept here.
WITH gone AS (
    DELETE FROM transmissions WHERE id = ANY(ARRAY(
        SELECT oldest.id
        FROM (SELECT id, status, coalesce(last_run, created_at) AS at FROM transmissions ORDER BY id LIMIT 20 * $2::bigint)
            oldest
        WHERE oldest.at < now() - $1::interval AND oldest.status IN ('completed', 'failed', 'invalid')
        LIMIT $2::bigint))
    RETURNING id
)
SELECT count(*) FROM gone

-- name: spools
-- Attempts that have ended, with their results.
WITH gone AS (
    DELETE FROM spools WHERE id = ANY(ARRAY(
        SELECT oldest.id FROM (SELECT id, time_end FROM spools ORDER BY id LIMIT 20 * $2::bigint) oldest
        WHERE oldest.time_end < now() - $1::interval LIMIT $2::bigint))
    RETURNING id
), results AS (
    DELETE FROM results USING gone WHERE results.spool_id = gone.id
)
SELECT count(*) FROM gone

-- name: schedules
-- Those that are done or were missed.
WITH gone AS (
    DELETE FROM schedules WHERE id = ANY(ARRAY(
        SELECT oldest.id FROM (SELECT id, status, last_run FROM schedules ORDER BY id LIMIT 20 * $2::bigint) oldest
        WHERE oldest.last_run < now() - $1::interval AND oldest.status IN (2, 3) LIMIT $2::bigint))
    RETURNING id
)
SELECT count(*) FROM gone

-- name: events
-- Each organisation's oldest, in the order of its only index. No event is ever changed, so its place is its name.
WITH gone AS (
    DELETE FROM events WHERE ctid = ANY(ARRAY(
        SELECT oldest.ctid FROM organisations o
        CROSS JOIN LATERAL (
            SELECT ctid, at FROM events e WHERE e.organisation_id = o.id ORDER BY xact, id LIMIT $2::bigint) oldest
        WHERE oldest.at < now() - $1::interval LIMIT $2::bigint))
    RETURNING 1
)
SELECT count(*) FROM gone

-- name: webhook_deliveries
WITH gone AS (
    DELETE FROM webhook_deliveries WHERE id = ANY(ARRAY(
        SELECT oldest.id FROM (SELECT id, state, created_at FROM webhook_deliveries ORDER BY id LIMIT 20 * $2::bigint) oldest
        WHERE oldest.created_at < now() - $1::interval AND oldest.state <> 'pending' LIMIT $2::bigint))
    RETURNING id
)
SELECT count(*) FROM gone

-- name: telephone_records
WITH gone AS (
    DELETE FROM telephone_records WHERE id = ANY(ARRAY(
        SELECT oldest.id FROM (SELECT id, end_time FROM telephone_records ORDER BY id LIMIT 20 * $2::bigint) oldest
        WHERE oldest.end_time < now() - $1::interval LIMIT $2::bigint))
    RETURNING id
)
SELECT count(*) FROM gone

-- name: recordings
-- Not what an open alarm has still to play.
WITH gone AS (
    DELETE FROM recordings WHERE id = ANY(ARRAY(
        SELECT r.id FROM recordings r
        WHERE r.created_at < now() - $1::interval AND NOT EXISTS (
            SELECT FROM alarms a WHERE a.finished_at IS NULL AND a.plan ->> 'recording_id' = r.id::text)
        LIMIT $2::bigint))
    RETURNING id
)
SELECT count(*) FROM gone

-- name: idempotency_keys
WITH gone AS (
    DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency_keys WHERE created_at < now() - $1::interval LIMIT $2::bigint))
    RETURNING 1
)
SELECT count(*) FROM gone

-- name: pin_failures
WITH gone AS (
    DELETE FROM pin_failures WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM pin_failures WHERE at < now() - $1::interval LIMIT $2::bigint))
    RETURNING 1
)
SELECT count(*) FROM gone
