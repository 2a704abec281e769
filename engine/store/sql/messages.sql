-- Documents, recordings, e-mail templates and texts of the ICTCore API. $1 is the organisation, $2 the user who sees
-- only what he made (null: who sees everybody's). A null among the values of an update: as it was. No list and no item
-- reads a file: its length is all that they need. The columns are in the order of the classes in `messages.py`.

-- name: documents
SELECT id, created_by, name, description, type, quality, pages, width, height FROM documents
WHERE organisation_id = $1 /* filters */ ORDER BY id

-- name: document
SELECT id, created_by, name, description, type, quality, pages, width, height FROM documents
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: create_document
INSERT INTO documents (organisation_id, created_by, name, description, quality)
VALUES ($1, $2, $3, coalesce($4, ''), coalesce($5, 'standard')) RETURNING id

-- name: update_document
UPDATE documents SET name = coalesce($4, name), description = coalesce($5, description), quality = coalesce($6, quality)
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3
RETURNING id, created_by, name, description, type, quality, pages, width, height

-- name: delete_document
DELETE FROM documents WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 RETURNING id

-- name: document_media
SELECT media, type FROM documents
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: save_document_media
-- $9: only if its file is still the one with this SHA-256 ('' none); null: whatever there is.
UPDATE documents SET media = $4, type = $5, pages = $6, width = $7, height = $8
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3
  AND ($9::text IS NULL OR coalesce(encode(sha256(media), 'hex'), '') = $9)
RETURNING id

-- name: recordings
SELECT id, created_by, name, description, audio IS NOT NULL, duration_ms FROM recordings
WHERE organisation_id = $1 /* filters */ ORDER BY id

-- name: recording
SELECT id, created_by, name, description, audio IS NOT NULL, duration_ms FROM recordings
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: create_recording
INSERT INTO recordings (organisation_id, created_by, name, description, duration_ms)
VALUES ($1, $2, $3, coalesce($4, ''), 0) RETURNING id

-- name: update_recording
UPDATE recordings SET name = coalesce($4, name), description = coalesce($5, description)
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3
RETURNING id, created_by, name, description, audio IS NOT NULL, duration_ms

-- name: lock_recording
-- Before anybody asks who uses it: an alarm that is just being posted with it is waited for.
SELECT id FROM recordings
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 FOR UPDATE

-- name: alarms_with_recording
-- Those that have still to play it.
SELECT id FROM alarms
WHERE organisation_id = $1 AND finished_at IS NULL AND plan ->> 'recording_id' = $2::bigint::text ORDER BY id LIMIT 5

-- name: delete_recording
DELETE FROM recordings WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 RETURNING id

-- name: recording_media
SELECT audio AS media, 'wav' AS type FROM recordings
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: save_recording_media
UPDATE recordings SET audio = $4, digest = $5, duration_ms = $6
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 RETURNING id

-- name: templates
-- Without what they say, as texts: there may be thousands.
SELECT id, created_by, name, description, subject, '', '', type, media_type,
       octet_length(subject) + octet_length(body) + octet_length(body_alt) + coalesce(octet_length(media), 0)
FROM templates WHERE organisation_id = $1 /* filters */ ORDER BY id

-- name: template
SELECT id, created_by, name, description, subject, body, body_alt, type, media_type,
       octet_length(subject) + octet_length(body) + octet_length(body_alt) + coalesce(octet_length(media), 0)
FROM templates WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: create_template
INSERT INTO templates (organisation_id, created_by, name, description, subject, body, body_alt, type)
VALUES ($1, $2, $3, coalesce($4, ''), $5, $6, coalesce($7, ''), coalesce($8, '')) RETURNING id

-- name: update_template
UPDATE templates SET name = coalesce($4, name), description = coalesce($5, description),
    subject = coalesce($6, subject), body = coalesce($7, body), body_alt = coalesce($8, body_alt),
    type = coalesce($9, type)
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3
RETURNING id, created_by, name, description, subject, body, body_alt, type, media_type,
    octet_length(subject) + octet_length(body) + octet_length(body_alt) + coalesce(octet_length(media), 0)

-- name: delete_template
DELETE FROM templates WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 RETURNING id

-- name: template_media
SELECT media, media_type AS type FROM templates
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: save_template_media
UPDATE templates SET media = $4, media_type = $5, type = coalesce($6, type)
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 RETURNING id

-- name: texts
SELECT id, created_by, name, description, '', type, length(data) FROM texts
WHERE organisation_id = $1 /* filters */ ORDER BY id

-- name: text
SELECT id, created_by, name, description, data, type, length(data) FROM texts
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3

-- name: create_text
INSERT INTO texts (organisation_id, created_by, name, description, data, type)
VALUES ($1, $2, $3, coalesce($4, ''), $5, coalesce($6, 'plain')) RETURNING id

-- name: update_text
UPDATE texts SET name = coalesce($4, name), description = coalesce($5, description), data = coalesce($6, data),
    type = coalesce($7, type)
WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3
RETURNING id, created_by, name, description, data, type, length(data)

-- name: delete_text
DELETE FROM texts WHERE organisation_id = $1 AND ($2::bigint IS NULL OR created_by = $2) AND id = $3 RETURNING id
