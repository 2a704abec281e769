-- Numbers that campaigns do not call; $1 is the organisation. The list of those who opted out is made by the engine.

-- name: page
SELECT id, name, is_opt_out, created_at FROM dnc_lists WHERE organisation_id = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: list
SELECT id, name, is_opt_out, created_at FROM dnc_lists WHERE organisation_id = $1 AND id = $2

-- name: unknown
-- Which of $2 are no lists of the organisation.
SELECT asked.id FROM unnest($2::bigint[]) AS asked(id)
WHERE NOT EXISTS (SELECT FROM dnc_lists l WHERE l.organisation_id = $1 AND l.id = asked.id)

-- name: create
INSERT INTO dnc_lists (organisation_id, created_by, name) VALUES ($1, $2, $3) RETURNING id, name, is_opt_out, created_at

-- name: rename
UPDATE dnc_lists SET name = $3 WHERE organisation_id = $1 AND id = $2 RETURNING id, name, is_opt_out, created_at

-- name: lock
-- Before its removal.
SELECT is_opt_out FROM dnc_lists WHERE organisation_id = $1 AND id = $2 FOR UPDATE

-- name: used_by
-- A campaign that still calls by it.
SELECT id FROM campaigns
WHERE organisation_id = $1 AND $2::bigint = ANY(dnc_list_ids) AND status <> 'completed' ORDER BY id LIMIT 1

-- name: delete
-- Its numbers go with it.
DELETE FROM dnc_lists WHERE organisation_id = $1 AND id = $2

-- name: numbers
-- Of list $2 behind $3. (Digits behind a plus: every collation has the same order.)
SELECT n.number, n.added_at
FROM dnc_numbers n JOIN dnc_lists l ON l.id = n.list_id
WHERE l.organisation_id = $1 AND n.list_id = $2 AND n.number > $3
ORDER BY n.number LIMIT $4

-- name: make_table
CREATE TEMPORARY TABLE imported_numbers (number text) ON COMMIT DROP

-- name: lock_list
-- It is not removed under its numbers.
SELECT id FROM dnc_lists WHERE organisation_id = $1 AND id = $2 FOR KEY SHARE

-- name: add
-- In one order, so that two files at once do not wait for each other.
WITH wanted AS (
    SELECT DISTINCT number FROM imported_numbers
), added AS (
    INSERT INTO dnc_numbers (list_id, number) SELECT $1, number FROM wanted ORDER BY number
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM wanted) AS wanted

-- name: remove
DELETE FROM dnc_numbers n USING dnc_lists l
WHERE l.organisation_id = $1 AND l.id = $2 AND n.list_id = l.id AND n.number = $3
RETURNING n.number
