-- What `ringward up` and `ringward call tail` ask of the whole system.

-- name: beat
-- Whether the engine with this process id lives: the last heartbeat of it.
SELECT beat_at, coalesce((state->>'taking_calls')::boolean, false) AS taking_calls
FROM engines WHERE pid = $1 ORDER BY beat_at DESC LIMIT 1

-- name: last_entry
SELECT coalesce(max(id), 0) FROM call_log_entries

-- name: entries_after
-- The timeline goes on after this entry. Ids rise, but a slower transaction may commit a lower one later: the
-- caller asks again for the last few and leaves out what it has shown.
SELECT e.id, e.at, e.type, e.phone, e.message, l.id AS call_log_id, l.hotline_id, h.number AS hotline,
       extract(epoch FROM e.at - l.start_time)::float8 AS since_start_s
FROM call_log_entries e
JOIN call_logs l ON l.id = e.call_log_id
JOIN hotlines h ON h.id = l.hotline_id
WHERE e.id > $1 ORDER BY e.id LIMIT 500
