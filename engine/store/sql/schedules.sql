-- Schedules: what is to be done at a time. $1 is the organisation, except in those marked "across".

-- name: create_campaign
-- Whoever deletes the campaign waits, and finds it.
INSERT INTO schedules (organisation_id, created_by, account_id, type, action, data, fields, time_zone, is_recurring,
                       expiry_s, weight, due_at)
SELECT $1, $3, $4, 'campaign', $5, c.id, $6::jsonb, $7, $8, $9, $10, $11
FROM (SELECT id FROM campaigns WHERE organisation_id = $1 AND id = $2 FOR KEY SHARE) c
RETURNING id

-- name: create_transmission
INSERT INTO schedules (organisation_id, created_by, account_id, type, action, data, fields, time_zone, is_recurring,
                       expiry_s, weight, due_at)
SELECT $1, $3, $4, 'transmission', $5, t.id, $6::jsonb, $7, $8, $9, $10, $11
FROM (SELECT id FROM transmissions WHERE organisation_id = $1 AND id = $2 FOR KEY SHARE) t
RETURNING id

-- name: cancel
-- All of one campaign or transmission.
DELETE FROM schedules WHERE organisation_id = $1 AND type = $2 AND data = $3

-- name: page
SELECT id, type, action, data, fields, time_zone, is_recurring, expiry_s, weight, status, due_at, last_run, problem,
       account_id, created_by
FROM schedules WHERE organisation_id = $1 AND type = $2 AND data = $3 ORDER BY id LIMIT 1000

-- name: clock
-- What says in which zone the user of account $2 means times.
SELECT coalesce(u.timezone_id, '') AS timezone_id, o.country
FROM organisations o
LEFT JOIN accounts a ON a.id = $2 AND a.organisation_id = o.id
LEFT JOIN users u ON u.id = coalesce(a.user_id, a.created_by)
WHERE o.id = $1

-- name: claim
-- Across: the one that is due the longest at $1, but for $2; of one moment the lighter first. Another engine's is passed
-- over.
SELECT id, organisation_id, type, action, data, fields, time_zone, is_recurring, expiry_s, due_at
FROM schedules
WHERE status IN (0, 1) AND due_at <= $1 AND NOT id = ANY($2::bigint[])
ORDER BY due_at, weight, id LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: explain
-- Its schedule goes, so that it has to say itself why it was not sent.
UPDATE transmissions SET response = left($3, 255)
WHERE organisation_id = $1 AND id = $2 AND status IN ('pending', 'pending_retry')

-- name: done
-- Across: $2 its next status, $3 when it is due again, $4 now, $5 why it did nothing.
UPDATE schedules SET status = $2, due_at = $3, last_run = $4, problem = $5 WHERE id = $1

-- name: drop
-- Across: what was to be sent once.
DELETE FROM schedules WHERE id = $1

-- name: account_of_transmission
-- $3 seen by
SELECT account_id FROM transmissions WHERE organisation_id = $1 AND id = $2 AND ($3::bigint IS NULL OR created_by = $3)
