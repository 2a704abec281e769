-- Sessions of the Sensaphone.net API. All of it is across organisations: a request says who it comes from before anything is
-- known of it.

-- name: open
-- $1 digest, $2 user, $3 his token version when the password was compared, $4 for how long. No row: he changed meanwhile.
INSERT INTO sensaphone_sessions (digest, organisation_id, user_id, token_version, expires_at)
SELECT $1, u.organisation_id, u.id, u.token_version, now() + $4::interval
FROM users u WHERE u.id = $2 AND u.token_version = $3 AND u.active
FOR KEY SHARE
RETURNING organisation_id, user_id, token_version, created_at

-- name: session
SELECT organisation_id, user_id, token_version, created_at FROM sensaphone_sessions
WHERE digest = $1 AND expires_at > now()

-- name: close
DELETE FROM sensaphone_sessions WHERE digest = $1

-- name: forget_expired
-- A thousand at a time: whoever logs in does not wait for long.
DELETE FROM sensaphone_sessions WHERE digest = ANY(ARRAY(
    SELECT digest FROM sensaphone_sessions WHERE expires_at < now() ORDER BY expires_at LIMIT 1000
    FOR UPDATE SKIP LOCKED))
