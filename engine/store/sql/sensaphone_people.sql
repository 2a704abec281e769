-- Contacts and users as the Sensaphone.net API reads them. $1 is the organisation, $2 who sees only what he made, or null: who
-- sees everybody's, $3 these or null: all, $4 how many at the most.

-- name: contacts
SELECT c.id AS contact_id, c.phone, c.email, c.description, trim(c.first_name || ' ' || c.last_name) AS name
FROM contacts c
WHERE c.organisation_id = $1 AND ($2::bigint IS NULL OR c.created_by = $2) AND ($3::bigint[] IS NULL OR c.id = ANY($3))
ORDER BY c.id LIMIT $4

-- name: users
-- A user sees himself as well.
SELECT u.id AS user_id, u.name, u.active AS is_active
FROM users u
WHERE u.organisation_id = $1 AND ($2::bigint IS NULL OR u.created_by = $2 OR u.id = $2)
  AND ($3::bigint[] IS NULL OR u.id = ANY($3))
ORDER BY u.id LIMIT $4
