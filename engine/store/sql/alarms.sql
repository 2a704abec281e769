-- Alarms as the engine needs them, of every organisation: the engine owns a switch, not an organisation.
-- Used by engine/store/alarms.py. What a live alarm writes is saved by save_alarm_rows (migration 0005).

-- name: claim
-- $1 switch, $2 most, $3 what this engine has claimed and not begun, $4 when another engine counts as gone; also when its
-- beat is to come: it has not beaten since the clock was put back.
-- Ours is what nobody claimed, what our switch claimed (by an engine before us, or our answer was lost), what an engine
-- claimed that is gone. Not what has a live call: its engine goes on with it. (save_alarm_rows refuses the slower one of
-- two that begin the same alarm.) The array keeps the plan an index scan of the queue.
WITH claimed AS (
    UPDATE alarms SET claimed_switch = e.switch, claimed_engine = e.engine_id
    FROM engines e
    WHERE e.switch = $1 AND alarms.id = ANY(ARRAY(
        SELECT a.id FROM alarms a
        WHERE a.state = 'queued' AND a.finished_at IS NULL AND a.id <> ALL($3::bigint[])
          AND (a.claimed_switch IS NULL OR a.claimed_switch = $1 OR NOT EXISTS (
              SELECT FROM engines other
              WHERE other.switch = a.claimed_switch AND other.engine_id = a.claimed_engine
                AND other.beat_at BETWEEN clock_timestamp() - $4::interval AND clock_timestamp() + $4::interval))
          AND NOT EXISTS (SELECT FROM calls c WHERE c.id = a.call_id)
        ORDER BY a.id LIMIT $2
        FOR NO KEY UPDATE OF a SKIP LOCKED))
    RETURNING alarms.id, alarms.call_id, alarms.plan, alarms.created_at
)
SELECT c.id, c.call_id::text AS call_id, c.plan,
    greatest(extract(epoch FROM clock_timestamp() - c.created_at), 0)::float8 AS age_s, coalesce((
    SELECT jsonb_agg(jsonb_build_array(r.id, r.name, r.role, r.language, r.voice, r.phones, r.group_ids)
                     ORDER BY r.position)
    FROM alarm_recipients r WHERE r.alarm_id = c.id), '[]') AS persons,
    (SELECT jsonb_agg(jsonb_build_array(o.id, o.kind, o.recipient_id, o.by) ORDER BY o.id)
     FROM alarm_orders o WHERE o.alarm_id = c.id) AS orders
FROM claimed c ORDER BY c.id

-- name: unreadable
-- Recorded as failed: nobody can ring whom it means.
WITH failed AS (
    UPDATE alarms SET state = 'failed', decided_at = now(), finished_at = now() WHERE id = $1 AND state = 'queued'
    RETURNING id, organisation_id
)
INSERT INTO alarm_notes (organisation_id, alarm_id, at, type, message)
SELECT organisation_id, id, now(), 'failed', 'its stored form cannot be read' FROM failed

-- name: orders
-- Asked for every second. Few rows, and each is deleted when it is durable in its alarm: look-ups for each, not joins,
-- because the planner knows nothing about a table that is empty most of the time.
SELECT o.id, a.call_id::text AS call_id, o.kind, o.recipient_id, o.by
FROM alarm_orders o
CROSS JOIN LATERAL (SELECT call_id, finished_at FROM alarms WHERE alarms.id = o.alarm_id LIMIT 1) a
WHERE a.finished_at IS NOT NULL OR (SELECT c.switch FROM calls c WHERE c.id = a.call_id) = $1
ORDER BY o.id

-- name: forget_orders
DELETE FROM alarm_orders WHERE id = ANY($1::bigint[])

-- name: call_of_attempt
SELECT c.id::text FROM alarm_attempts t
JOIN alarms a ON a.id = t.alarm_id
JOIN calls c ON c.id = a.call_id AND c.phase <> 'failed'
WHERE t.leg = $1

-- name: acknowledge_late
-- $1 leg, $2 when. Only once its alarm is over: until then the flow itself says it. Said twice it is written once.
WITH late AS (
    UPDATE alarm_attempts t
    SET disposition = 'acknowledged', answered_at = coalesce(t.answered_at, $2), ended_at = coalesce(t.ended_at, $2)
    FROM alarms a
    WHERE t.leg = $1 AND a.id = t.alarm_id
      AND NOT EXISTS (SELECT FROM calls c WHERE c.id = a.call_id AND c.phase <> 'failed')
    RETURNING t.organisation_id, t.alarm_id, t.recipient_id, t.leg, t.phone
), person AS (
    UPDATE alarm_recipients r SET state = 'acknowledged', acknowledged_at = $2
    FROM late
    WHERE r.id = late.recipient_id AND r.state <> 'acknowledged'
    RETURNING r.id
)
INSERT INTO alarm_notes (organisation_id, alarm_id, at, type, recipient_id, leg, phone)
SELECT late.organisation_id, late.alarm_id, $2, 'acknowledged', late.recipient_id, late.leg, late.phone
FROM late JOIN person ON person.id = late.recipient_id

-- name: call_back
-- $1 the number that was called, $2 the caller's, $3 our switch. It stands between a caller and the first sound.
-- The newest alarm that still rings people, before one that is decided and only ends its legs.
SELECT n.organisation_id, o.language, wanted.call_id
FROM numbers n
JOIN organisations o ON o.id = n.organisation_id
LEFT JOIN LATERAL (
    SELECT a.call_id::text AS call_id
    FROM alarm_recipients r
    JOIN alarms a ON a.id = r.alarm_id
    JOIN calls c ON c.id = a.call_id
    WHERE r.phones @> ARRAY[$2::text] AND r.organisation_id = n.organisation_id
      AND r.state NOT IN ('acknowledged', 'declined') AND a.finished_at IS NULL
      AND c.switch = $3 AND c.phase <> 'failed'
    ORDER BY a.state NOT IN ('queued', 'ringing'), a.id DESC LIMIT 1
) wanted ON true
WHERE n.number = $1

-- name: dials
-- Across: a number rests whoever rang it. What ended on its way disturbed nobody (WriteAttempt.never_rang).
-- $1 for how long. How many seconds ago each was, by the steady clock (migration 0015).
SELECT phone, extract(epoch FROM steady_now() - counted_at)::float8 FROM alarm_attempts
WHERE counted_at >= steady_now() - $1::interval AND direction = 'outbound'
  AND NOT (coalesce(disposition, '') = 'failed' AND answered_at IS NULL AND cause IN (18, 34, 38, 41, 42))
ORDER BY counted_at

-- name: pin_failures
SELECT number, extract(epoch FROM steady_now() - counted_at)::float8 FROM pin_failures
WHERE counted_at >= steady_now() - $1::interval ORDER BY counted_at
