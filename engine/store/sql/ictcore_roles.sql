-- Roles and permissions; $1 is the organisation. Those without one are everybody's and never change.

-- name: roles
SELECT r.id AS role_id, r.name, r.description FROM roles r
WHERE coalesce(r.organisation_id, $1) = $1 /* filters */ ORDER BY r.id

-- name: role
SELECT id AS role_id, name, description, organisation_id IS NULL AS is_common
FROM roles WHERE id = $2 AND coalesce(organisation_id, $1) = $1

-- name: create_role
-- No row when the name is taken, by the common ones as well.
INSERT INTO roles (organisation_id, name, description)
SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM roles WHERE organisation_id IS NULL AND name = $2)
ON CONFLICT DO NOTHING
RETURNING id

-- name: update_role
-- No row when the name is one of the common ones.
UPDATE roles SET name = coalesce($3, name), description = coalesce($4, description)
WHERE organisation_id = $1 AND id = $2
  AND NOT EXISTS (SELECT FROM roles c WHERE c.organisation_id IS NULL AND c.name = $3)
RETURNING id

-- name: delete_role
DELETE FROM roles WHERE organisation_id = $1 AND id = $2

-- name: permissions_of
SELECT p.id AS permission_id, p.name, p.description
FROM role_permissions rp JOIN roles r ON r.id = rp.role_id JOIN permissions p ON p.id = rp.permission_id
WHERE coalesce(r.organisation_id, $1) = $1 AND r.id = $2 ORDER BY p.id

-- name: add_permission
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id FROM roles r, permissions p
WHERE r.organisation_id = $1 AND r.id = $2 AND p.id = $3 AND coalesce(p.organisation_id, $1) = $1
ON CONFLICT DO NOTHING

-- name: drop_permission
DELETE FROM role_permissions rp USING roles r
WHERE r.organisation_id = $1 AND r.id = $2 AND rp.role_id = r.id AND rp.permission_id = $3

-- name: permissions
SELECT p.id AS permission_id, p.name, p.description FROM permissions p
WHERE coalesce(p.organisation_id, $1) = $1 /* filters */ ORDER BY p.id

-- name: permission
SELECT id AS permission_id, name, description FROM permissions WHERE id = $2 AND coalesce(organisation_id, $1) = $1

-- name: create_permission
INSERT INTO permissions (organisation_id, name, description)
SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM permissions WHERE organisation_id IS NULL AND name = $2)
ON CONFLICT DO NOTHING
RETURNING id
