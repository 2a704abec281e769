-- Users for admins; $1 is the organisation.

-- name: page
SELECT id, organisation_id, name, is_admin, allow_admins, language FROM users
WHERE organisation_id = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: create
INSERT INTO users (organisation_id, name, is_admin, allow_admins, language, password_hash)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING
RETURNING id, organisation_id, name, is_admin, allow_admins, language

-- name: replace
UPDATE users SET name = $3, is_admin = $4, allow_admins = $5, language = $6,
                 password_hash = coalesce($7, password_hash)
WHERE organisation_id = $1 AND id = $2
RETURNING id, organisation_id, name, is_admin, allow_admins, language

-- name: lock
-- Whoever adds a phone, a token or a membership of this user waits for it.
SELECT id FROM users WHERE organisation_id = $1 AND id = $2 FOR UPDATE

-- name: drop_agents
DELETE FROM hotline_agents a USING hotlines h
WHERE h.id = a.hotline_id AND h.organisation_id = $1 AND a.user_id = $2

-- name: drop_phones
DELETE FROM phones WHERE organisation_id = $1 AND user_id = $2

-- name: drop_tokens
DELETE FROM tokens WHERE organisation_id = $1 AND user_id = $2

-- name: drop_user
-- Memberships of contact groups go with it.
DELETE FROM users WHERE organisation_id = $1 AND id = $2
