-- The ICTCore API's log-ins. All of it is across organisations.

-- name: credentials
-- By id, or by name before e-mail address.
SELECT id, organisation_id, name, password_hash, token_version, active
FROM users
WHERE CASE WHEN $2::bigint IS NULL THEN name = $1 OR lower(email) = lower($1) ELSE id = $2 END
ORDER BY (name = $1) DESC LIMIT 1

-- name: caller
-- Who somebody is at this moment, and all that he may.
SELECT u.organisation_id, u.name AS username, u.is_admin, u.active AS is_active, u.token_version,
       coalesce(c.country, o.country) AS country,
       ARRAY(SELECT p.name FROM user_roles ur JOIN role_permissions rp USING (role_id)
             JOIN permissions p ON p.id = rp.permission_id WHERE ur.user_id = u.id
             UNION
             SELECT p.name FROM user_permissions up JOIN permissions p ON p.id = up.permission_id
             WHERE up.user_id = u.id) AS permissions,
       EXISTS (SELECT FROM cancelled_tokens t WHERE t.id = $2) AS is_cancelled
FROM users u
JOIN organisations o ON o.id = u.organisation_id
LEFT JOIN sip_customers c ON c.organisation_id = u.organisation_id
WHERE u.id = $1

-- name: cancel_token
INSERT INTO cancelled_tokens (id, expires_at) VALUES ($1, to_timestamp($2::bigint)) ON CONFLICT DO NOTHING

-- name: forget_cancelled
-- What has expired is refused without it.
DELETE FROM cancelled_tokens WHERE expires_at < now() - interval '1 day'

-- name: signing_keys
SELECT id, private_key FROM signing_keys ORDER BY created_at DESC, id

-- name: first_signing_key
INSERT INTO signing_keys (id, private_key) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM signing_keys)
