-- The directory. Every query names the organisation it acts for, except those marked "across".

-- name: principal
-- Across: whom a token acts for. A system token is of no organisation (0), and so no admin of any. A user
-- who was disabled is nobody.
SELECT coalesce(t.organisation_id, 0) AS organisation_id, t.user_id,
       t.organisation_id IS NOT NULL AND (t.user_id IS NULL OR u.is_admin) AS is_admin,
       coalesce(c.country, o.country, '') AS country, t.organisation_id IS NULL AS is_system,
       coalesce(nullif(o.countries, '{}'), ARRAY[o.country]) AS countries
FROM tokens t
LEFT JOIN organisations o ON o.id = t.organisation_id
LEFT JOIN users u ON u.id = t.user_id
LEFT JOIN sip_customers c ON c.organisation_id = t.organisation_id
WHERE t.digest = $1 AND t.revoked_at IS NULL AND u.active IS NOT FALSE

-- name: organisations
-- Across: `ringward org list`.
SELECT id, name, country, language FROM organisations ORDER BY id

-- name: create_organisation
INSERT INTO organisations (name, country, language) VALUES ($1, $2, $3) RETURNING id, name, country, language

-- name: organisation_of_user
-- Across: the command line names users by id alone.
SELECT organisation_id FROM users WHERE id = $1

-- name: add_numbers
-- Across: the pool is the system's. In the order given.
INSERT INTO numbers (number)
SELECT number FROM unnest($1::text[]) WITH ORDINALITY AS n(number, ord) ORDER BY ord
ON CONFLICT (number) DO NOTHING
RETURNING number

-- name: engine_beat
-- Across: the engine that beat last. A beat to come was written before the clock was put back: the further away the older.
SELECT abs(extract(epoch FROM clock_timestamp() - beat_at))::float8 AS age_s, state, metrics
FROM engines ORDER BY 1 LIMIT 1

-- name: issue_token
INSERT INTO tokens (organisation_id, user_id, digest)
SELECT o.id, $2, $3 FROM organisations o
WHERE o.id = $1
  AND ($2::bigint IS NULL OR EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.organisation_id = o.id))
RETURNING id

-- name: issue_system_token
-- Across: of no organisation.
INSERT INTO tokens (organisation_id, user_id, digest) VALUES (NULL, NULL, $1)

-- name: revoke_system_tokens
-- Across: all of them.
UPDATE tokens SET revoked_at = now() WHERE organisation_id IS NULL AND revoked_at IS NULL RETURNING id

-- name: revoke_tokens
UPDATE tokens SET revoked_at = now()
WHERE organisation_id = $1 AND user_id IS NOT DISTINCT FROM $2 AND revoked_at IS NULL
RETURNING id

-- name: users
SELECT id, organisation_id, name, is_admin, allow_admins, language FROM users WHERE organisation_id = $1 ORDER BY id

-- name: user
SELECT id, organisation_id, name, is_admin, allow_admins, language FROM users WHERE organisation_id = $1 AND id = $2

-- name: create_user
INSERT INTO users (organisation_id, name, is_admin, allow_admins, language, password_hash)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO NOTHING
RETURNING id, organisation_id, name, is_admin, allow_admins, language

-- name: set_allow_admins
UPDATE users SET allow_admins = $3 WHERE organisation_id = $1 AND id = $2
RETURNING id, organisation_id, name, is_admin, allow_admins, language

-- name: missing_users
-- Those of the ids that are no users of the organisation, in order. The others stay until this transaction is over: who
-- deletes a user waits here, before it has anything that we wait for.
WITH held AS (
    SELECT id FROM users WHERE organisation_id = $1 AND id = ANY($2::bigint[]) ORDER BY id FOR KEY SHARE
)
SELECT a.id FROM unnest($2::bigint[]) WITH ORDINALITY AS a(id, ord)
WHERE NOT EXISTS (SELECT 1 FROM held WHERE held.id = a.id)
ORDER BY a.ord

-- name: phones
-- In the order in which they are rung.
SELECT id, user_id, name, number, is_active, position FROM phones
WHERE organisation_id = $1 AND user_id = $2 ORDER BY position, id

-- name: phone
SELECT id, user_id, name, number, is_active, position FROM phones WHERE organisation_id = $1 AND id = $2

-- name: create_phone
-- Without a position it comes last.
INSERT INTO phones (organisation_id, user_id, name, number, is_active, position)
SELECT u.organisation_id, u.id, $3, $4, $5,
       coalesce($6, least((SELECT coalesce(max(p.position) + 1, 0) FROM phones p WHERE p.user_id = u.id), 1000000))
FROM users u WHERE u.organisation_id = $1 AND u.id = $2
RETURNING id, user_id, name, number, is_active, position

-- name: replace_phone
-- Without a position it stays where it is.
UPDATE phones SET user_id = $3, name = $4, number = $5, is_active = $6, position = coalesce($7, position)
WHERE organisation_id = $1 AND id = $2
RETURNING id, user_id, name, number, is_active, position

-- name: delete_phone
DELETE FROM phones WHERE organisation_id = $1 AND id = $2 RETURNING id

-- name: sip_customer
SELECT name, street, street_housenumber, city, city_code, country FROM sip_customers WHERE organisation_id = $1

-- name: save_sip_customer
INSERT INTO sip_customers (organisation_id, name, street, street_housenumber, city, city_code, country)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organisation_id) DO UPDATE
    SET name = EXCLUDED.name, street = EXCLUDED.street, street_housenumber = EXCLUDED.street_housenumber,
        city = EXCLUDED.city, city_code = EXCLUDED.city_code, country = EXCLUDED.country

-- name: hotlines
SELECT h.id, h.organisation_id, h.name, h.number, h.status, h.is_active, h.channels_inbound, h.channels_outbound,
       h.tts_inbound, h.tts_outbound,
       ARRAY(SELECT a.user_id FROM hotline_agents a WHERE a.hotline_id = h.id ORDER BY a.position) AS agents
FROM hotlines h
WHERE h.organisation_id = $1 AND h.deleted_at IS NULL
ORDER BY h.id LIMIT $2 OFFSET $3

-- name: count_hotlines
SELECT count(*) FROM hotlines WHERE organisation_id = $1 AND deleted_at IS NULL

-- name: hotline
SELECT h.id, h.organisation_id, h.name, h.number, h.status, h.is_active, h.channels_inbound, h.channels_outbound,
       h.tts_inbound, h.tts_outbound,
       ARRAY(SELECT a.user_id FROM hotline_agents a WHERE a.hotline_id = h.id ORDER BY a.position) AS agents
FROM hotlines h
WHERE h.organisation_id = $1 AND h.id = $2 AND h.deleted_at IS NULL

-- name: hotline_for_update
-- PUTs and DELETEs of one hotline take turns.
SELECT id FROM hotlines WHERE organisation_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE

-- name: take_number
-- The first free number. Without SKIP LOCKED: whoever waits here gets the next one, or this one if the other fails.
SELECT number FROM numbers WHERE hotline_id IS NULL AND organisation_id IS NULL ORDER BY position LIMIT 1 FOR UPDATE

-- name: create_hotline
INSERT INTO hotlines (organisation_id, number, name, is_active, channels_inbound, channels_outbound,
                      tts_inbound, tts_outbound)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id

-- name: assign_number
UPDATE numbers SET hotline_id = $2 WHERE number = $1

-- name: replace_hotline
-- The revision rises only with what the engine must act on; so an unchanged PUT keeps the status.
UPDATE hotlines h
SET name = $3, is_active = $4, channels_inbound = $5, channels_outbound = $6, tts_inbound = $7, tts_outbound = $8,
    revision = h.revision + (c.changed)::int,
    status = CASE WHEN NOT c.changed THEN h.status WHEN $4 THEN 'starting' ELSE 'paused' END
FROM (
    SELECT id, (is_active, tts_inbound, tts_outbound) IS DISTINCT FROM ($4::boolean, $7::text, $8::text) AS changed
    FROM hotlines WHERE organisation_id = $1 AND id = $2
) c
WHERE h.organisation_id = $1 AND h.id = c.id

-- name: drop_agents
DELETE FROM hotline_agents a USING hotlines h
WHERE a.hotline_id = h.id AND h.organisation_id = $1 AND h.id = $2

-- name: add_agents
INSERT INTO hotline_agents (hotline_id, position, user_id)
SELECT h.id, a.position, a.user_id
FROM hotlines h, unnest($3::bigint[]) WITH ORDINALITY AS a(user_id, position)
WHERE h.organisation_id = $1 AND h.id = $2

-- name: delete_hotline
UPDATE hotlines SET deleted_at = now(), is_active = false WHERE organisation_id = $1 AND id = $2

-- name: free_number
-- To the end of the pool: a caller's memory of the old hotline fades before the number serves another one.
UPDATE numbers SET hotline_id = NULL, position = nextval('numbers_position') WHERE hotline_id = $1

-- name: hotline_exists
SELECT 1 FROM hotlines WHERE organisation_id = $1 AND id = $2 AND deleted_at IS NULL

-- name: call_logs
SELECT id, hotline_id, start_time FROM call_logs
WHERE organisation_id = $1 AND hotline_id = $2
ORDER BY start_time DESC, id DESC LIMIT $3 OFFSET $4

-- name: count_call_logs
SELECT count(*) FROM call_logs WHERE organisation_id = $1 AND hotline_id = $2

-- name: call_log
SELECT l.id, l.hotline_id, l.start_time
FROM call_logs l
JOIN hotlines h ON h.id = l.hotline_id AND h.organisation_id = l.organisation_id AND h.deleted_at IS NULL
WHERE l.organisation_id = $1 AND l.hotline_id = $2 AND l.id = $3

-- name: log_entries
SELECT id, call_log_id, at, type, user_id, phone_id, phone, message FROM call_log_entries
WHERE organisation_id = $1 AND call_log_id = $2
ORDER BY at, id

-- name: records
SELECT id, hotline_id, call_log_id, direction, from_number, to_number, start_time, answer_time, end_time, status,
       cause, fallback
FROM telephone_records
WHERE organisation_id = $1 AND hotline_id = $2
ORDER BY start_time DESC, id DESC LIMIT $3 OFFSET $4

-- name: count_records
SELECT count(*) FROM telephone_records WHERE organisation_id = $1 AND hotline_id = $2
