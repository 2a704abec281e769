-- Numbers; $1 is the organisation, except in those marked "across".

-- name: page
-- Its own and its hotlines', as they came out of the pool.
SELECT n.number, n.position, coalesce(n.organisation_id, h.organisation_id) AS organisation_id, n.hotline_id,
       coalesce(h.name, n.name) AS name
FROM numbers n
LEFT JOIN hotlines h ON h.id = n.hotline_id
WHERE (n.organisation_id = $1 OR h.organisation_id = $1) AND n.position > $2
ORDER BY n.position LIMIT $3

-- name: number
SELECT n.number, n.position, coalesce(n.organisation_id, h.organisation_id) AS organisation_id, n.hotline_id,
       coalesce(h.name, n.name) AS name
FROM numbers n
LEFT JOIN hotlines h ON h.id = n.hotline_id
WHERE (n.organisation_id = $1 OR h.organisation_id = $1) AND n.number = $2

-- name: own
-- Of $2.
SELECT n.number FROM numbers n
LEFT JOIN hotlines h ON h.id = n.hotline_id
WHERE (n.organisation_id = $1 OR h.organisation_id = $1) AND n.number = ANY($2::text[])

-- name: take
UPDATE numbers SET organisation_id = $1, name = $3 WHERE number = $2
RETURNING number, position, organisation_id, hotline_id, name

-- name: rename
UPDATE numbers SET name = $3 WHERE organisation_id = $1 AND number = $2
RETURNING number, position, organisation_id, hotline_id, name

-- name: give_back
-- To the end of the pool, as a deleted hotline's.
UPDATE numbers SET organisation_id = NULL, name = '', position = nextval('numbers_position')
WHERE organisation_id = $1 AND number = $2
RETURNING number, position, organisation_id, hotline_id, name

-- name: pool_page
-- Across: all numbers of the system.
SELECT n.number, n.position, coalesce(n.organisation_id, h.organisation_id) AS organisation_id, n.hotline_id,
       coalesce(h.name, n.name) AS name
FROM numbers n
LEFT JOIN hotlines h ON h.id = n.hotline_id
WHERE n.position > $1
ORDER BY n.position LIMIT $2

-- name: pool_number
-- Across.
SELECT n.number, n.position, coalesce(n.organisation_id, h.organisation_id) AS organisation_id, n.hotline_id,
       coalesce(h.name, n.name) AS name
FROM numbers n
LEFT JOIN hotlines h ON h.id = n.hotline_id
WHERE n.number = $1

-- name: remove
-- Across: only a free one.
DELETE FROM numbers WHERE number = $1 AND hotline_id IS NULL AND organisation_id IS NULL RETURNING number
