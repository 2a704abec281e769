-- Recordings; $1 is the organisation. A list must not read the audio: its length is all it takes. What was made through
-- the ICTCore API and has no audio yet is no recording here.

-- name: page
SELECT id, name, digest, octet_length(audio) AS size, duration_ms, created_at FROM recordings
WHERE organisation_id = $1 AND id > $2 AND audio IS NOT NULL ORDER BY id LIMIT $3

-- name: recording
SELECT id, name, digest, octet_length(audio) AS size, duration_ms, created_at FROM recordings
WHERE organisation_id = $1 AND id = $2 AND audio IS NOT NULL

-- name: create
INSERT INTO recordings (organisation_id, name, audio, digest, duration_ms) VALUES ($1, $2, $3, $4, $5)
RETURNING id, name, digest, octet_length(audio) AS size, duration_ms, created_at

-- name: audio
SELECT audio FROM recordings WHERE organisation_id = $1 AND id = $2 AND audio IS NOT NULL

-- name: rename
UPDATE recordings SET name = $3 WHERE organisation_id = $1 AND id = $2 AND audio IS NOT NULL
RETURNING id, name, digest, octet_length(audio) AS size, duration_ms, created_at

-- name: lock
-- Before anybody asks who uses it: an alarm that is just being posted with it is waited for.
SELECT id FROM recordings WHERE organisation_id = $1 AND id = $2 AND audio IS NOT NULL FOR UPDATE

-- name: using
-- Alarms that have still to play it.
SELECT id FROM alarms
WHERE organisation_id = $1 AND finished_at IS NULL AND plan ->> 'recording_id' = $2::bigint::text ORDER BY id LIMIT 5

-- name: delete
DELETE FROM recordings WHERE organisation_id = $1 AND id = $2 RETURNING id
