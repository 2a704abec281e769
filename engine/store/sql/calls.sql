-- Live calls and the ownership of a switch. Used by engine/store/calls.py; the functions are in migrations 0002 and 0010.

-- name: try_own
-- A session lock that dies with the owner's connection: who gets it knows at once that the owner's process is gone.
SELECT pg_try_advisory_lock(owner_key($1));

-- name: last_beat
-- Not how old it is: whoever asks again and again sees whether it changes (pulse.py). Null: nobody ever owned the switch.
SELECT beat_at FROM engines WHERE switch = $1;

-- name: take_over
SELECT take_over_switch($1, $2, $3);

-- name: own_again
-- On a new connection of the same engine. The exclusive lock waits for a save of the former connection that still runs;
-- one that has not begun finds a newer number and saves nothing.
WITH fence AS MATERIALIZED (SELECT pg_advisory_xact_lock(fence_key($1)))
UPDATE engines SET fencing = fencing + 1 FROM fence WHERE switch = $1 AND engine_id = $2 RETURNING fencing;

-- name: save
SELECT save_batch($1, $2, $3::jsonb, $4, $5::jsonb, $6::jsonb, $7::jsonb, $8::jsonb, $9::jsonb, $10::jsonb,
    $11::jsonb);

-- name: load
-- `failed` calls keep their row for the operator, but nobody continues them. Only a caller's call has a log.
SELECT c.id::text AS call_id, c.organisation_id, c.hotline_id, c.flow, c.version, c.phase, c.state, c.outbox,
    c.started_at, coalesce(l.caller_leg, '') AS caller_leg
FROM calls c LEFT JOIN call_logs l ON l.call_id = c.id
WHERE c.switch = $1 AND c.phase <> 'failed'
ORDER BY c.started_at;

-- name: load_parts
SELECT p.call_id::text AS call_id, p.part, p.state
FROM calls c JOIN call_parts p ON p.call_id = c.id
WHERE c.switch = $1 AND c.phase <> 'failed';

-- name: call_of_leg
-- Inbound leg ids are the switch's own and rise with its clock; the newest log is the one meant.
SELECT call_id::text FROM call_logs WHERE caller_leg = $1 ORDER BY id DESC LIMIT 1;
