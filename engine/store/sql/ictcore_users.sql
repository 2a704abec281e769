-- Users of the ICTCore API; $1 is the organisation. Who may see whom is `$3`: a user who sees himself and those whom he
-- made, null: everybody of the organisation.

-- name: users
SELECT u.id AS user_id, u.name AS username, u.first_name, u.last_name, u.phone, coalesce(u.email, '') AS email,
       u.address, u.company, u.country_id, u.timezone_id, u.active
FROM users u WHERE u.organisation_id = $1 /* filters */ ORDER BY u.id

-- name: user
SELECT u.id AS user_id, u.name AS username, u.first_name, u.last_name, u.phone, coalesce(u.email, '') AS email,
       u.address, u.company, u.country_id, u.timezone_id, u.active
FROM users u
WHERE u.organisation_id = $1 AND u.id = $2 AND ($3::bigint IS NULL OR u.created_by = $3 OR u.id = $3)

-- name: create_user
-- $2: all columns as JSON. A name that is taken makes no row.
INSERT INTO users (organisation_id, created_by, name, password_hash, first_name, last_name, phone, email, address,
                   company, country_id, timezone_id, active, language)
SELECT o.id, $3, n.name, n.password_hash, n.first_name, n.last_name, n.phone, nullif(n.email, ''), n.address,
       n.company, n.country_id, n.timezone_id, n.active, o.language
FROM organisations o, jsonb_populate_record(NULL::users, $2::jsonb) n
WHERE o.id = $1
ON CONFLICT DO NOTHING
RETURNING id

-- name: default_account
INSERT INTO accounts (organisation_id, created_by, user_id, username, first_name, last_name, phone, email, address,
                      active)
SELECT organisation_id, id, id, name, first_name, last_name, phone, coalesce(email, ''), address, active
FROM users WHERE organisation_id = $1 AND id = $2
ON CONFLICT (organisation_id, type, username) DO UPDATE SET user_id = EXCLUDED.user_id WHERE accounts.user_id IS NULL

-- name: update_user
-- $3: the columns that change, as JSON.
UPDATE users u
SET (name, password_hash, first_name, last_name, phone, email, address, company, country_id, timezone_id, active)
    = (SELECT n.name, n.password_hash, n.first_name, n.last_name, n.phone, nullif(n.email, ''), n.address, n.company,
              n.country_id, n.timezone_id, n.active
       FROM jsonb_populate_record(u, $3::jsonb) n)
WHERE u.organisation_id = $1 AND u.id = $2

-- name: config
SELECT config -> $3 AS value FROM users WHERE organisation_id = $1 AND id = $2

-- name: set_config
UPDATE users SET config = config || jsonb_build_object($3::text, $4::jsonb)
WHERE organisation_id = $1 AND id = $2 AND (config ? $3 OR (SELECT count(*) FROM jsonb_object_keys(config)) < 100)
RETURNING id

-- name: roles_of
SELECT r.id AS role_id, r.name, r.description FROM roles r JOIN user_roles ur ON ur.role_id = r.id
JOIN users u ON u.id = ur.user_id
WHERE u.organisation_id = $1 AND u.id = $2 ORDER BY r.id

-- name: permissions_of
-- His own; those of his roles are the roles'.
SELECT p.id AS permission_id, p.name, p.description FROM permissions p
JOIN user_permissions up ON up.permission_id = p.id
JOIN users u ON u.id = up.user_id
WHERE u.organisation_id = $1 AND u.id = $2 ORDER BY p.id

-- name: add_role
INSERT INTO user_roles (user_id, role_id)
SELECT u.id, r.id FROM users u, roles r
WHERE u.organisation_id = $1 AND u.id = $2 AND r.id = $3 AND coalesce(r.organisation_id, $1) = $1
ON CONFLICT DO NOTHING

-- name: drop_role
DELETE FROM user_roles ur USING users u
WHERE u.organisation_id = $1 AND u.id = $2 AND ur.user_id = u.id AND ur.role_id = $3

-- name: add_permission
INSERT INTO user_permissions (user_id, permission_id)
SELECT u.id, p.id FROM users u, permissions p
WHERE u.organisation_id = $1 AND u.id = $2 AND p.id = $3 AND coalesce(p.organisation_id, $1) = $1
ON CONFLICT DO NOTHING

-- name: drop_permission
DELETE FROM user_permissions up USING users u
WHERE u.organisation_id = $1 AND u.id = $2 AND up.user_id = u.id AND up.permission_id = $3
