-- Programs of the ICTCore API. $1 is the organisation; `seen by` is the user who sees only what he made, null who sees
-- everybody's.

-- name: programs
SELECT p.id AS program_id, p.created_by, p.name, p.type, p.parent_id, p.data
FROM programs p
WHERE p.organisation_id = $1 /* filters */
ORDER BY p.id

-- name: program
-- $3 seen by
SELECT p.id AS program_id, p.created_by, p.name, p.type, p.parent_id, p.data
FROM programs p
WHERE p.organisation_id = $1 AND p.id = $2 AND ($3::bigint IS NULL OR p.created_by = $3)

-- name: create_program
INSERT INTO programs (organisation_id, created_by, name, type, parent_id, data)
VALUES ($1, $2, $3, $4, $5, $6::jsonb)
RETURNING id

-- name: update_program
-- $3 seen by; its type stays
UPDATE programs p SET name = $4, parent_id = $5, data = $6::jsonb
WHERE p.organisation_id = $1 AND p.id = $2 AND ($3::bigint IS NULL OR p.created_by = $3)
RETURNING p.id AS program_id, p.created_by, p.name, p.type, p.parent_id, p.data

-- name: lock_program
-- Whoever sends a transmission has it locked FOR KEY SHARE. $3 seen by
SELECT p.id FROM programs p
WHERE p.organisation_id = $1 AND p.id = $2 AND ($3::bigint IS NULL OR p.created_by = $3)
FOR UPDATE

-- name: users_of_program
-- What is still to be called with it.
SELECT EXISTS (SELECT FROM campaigns c
               WHERE c.organisation_id = $1 AND c.program_id = $2 AND c.status IN ('ready', 'running', 'paused'))
           AS in_campaign,
       EXISTS (SELECT FROM transmissions t
               WHERE t.organisation_id = $1 AND t.program_id = $2
                 AND (t.status = 'processing' OR (t.status IN ('pending', 'pending_retry') AND t.due_at IS NOT NULL)))
           AS in_transmission

-- name: delete_program
DELETE FROM programs WHERE organisation_id = $1 AND id = $2

-- name: unknown
-- Which of these are not there, or not seen by the user who is named with them (null: everybody's are). $2: JSON.
SELECT r.field, r.kind
FROM jsonb_to_recordset($2::jsonb) AS r(field text, kind text, id bigint, seen_by bigint)
WHERE NOT CASE r.kind
    WHEN 'recording' THEN EXISTS (SELECT FROM recordings x
        WHERE x.organisation_id = $1 AND x.id = r.id AND (r.seen_by IS NULL OR x.created_by = r.seen_by))
    WHEN 'document' THEN EXISTS (SELECT FROM documents x
        WHERE x.organisation_id = $1 AND x.id = r.id AND (r.seen_by IS NULL OR x.created_by = r.seen_by))
    WHEN 'template' THEN EXISTS (SELECT FROM templates x
        WHERE x.organisation_id = $1 AND x.id = r.id AND (r.seen_by IS NULL OR x.created_by = r.seen_by))
    WHEN 'text' THEN EXISTS (SELECT FROM texts x
        WHERE x.organisation_id = $1 AND x.id = r.id AND (r.seen_by IS NULL OR x.created_by = r.seen_by))
    WHEN 'program' THEN EXISTS (SELECT FROM programs x
        WHERE x.organisation_id = $1 AND x.id = r.id AND (r.seen_by IS NULL OR x.created_by = r.seen_by))
    WHEN 'contact' THEN EXISTS (SELECT FROM contacts x
        WHERE x.organisation_id = $1 AND x.id = r.id AND (r.seen_by IS NULL OR x.created_by = r.seen_by))
    ELSE EXISTS (SELECT FROM accounts x     -- of any type, or of the one that is asked for
        WHERE x.organisation_id = $1 AND x.id = r.id AND r.kind IN ('account', x.type)
          AND (r.seen_by IS NULL OR coalesce(x.user_id, x.created_by) = r.seen_by))
END

-- name: hotlines
-- Those with these ids or numbers.
SELECT h.id, h.number FROM hotlines h
WHERE h.organisation_id = $1 AND h.deleted_at IS NULL AND (h.id = ANY($2::bigint[]) OR h.number = ANY($3::text[]))

-- name: countries
-- Which an organisation may dial.
SELECT CASE WHEN o.countries = '{}' THEN ARRAY[o.country] ELSE o.countries END AS countries
FROM organisations o
WHERE o.id = $1
