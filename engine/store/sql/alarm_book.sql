-- Alarms as the api posts and reads them. $1 is the organisation.

-- name: remember_key
-- The key is ours (true), or it is remembered already: then nothing comes back, and `remembered_key` tells of what. A
-- second POST of the same key waits here until the first one's transaction is over. After 24 hours a key is as new.
INSERT INTO idempotency_keys AS known (organisation_id, key, request_digest, created_at)
VALUES ($1, $2, $3, clock_timestamp())
ON CONFLICT (organisation_id, key) DO UPDATE
    SET request_digest = EXCLUDED.request_digest, resource_id = NULL, created_at = EXCLUDED.created_at
    WHERE known.created_at < clock_timestamp() - interval '24 hours'
RETURNING true

-- name: remembered_key
SELECT request_digest, resource_id FROM idempotency_keys WHERE organisation_id = $1 AND key = $2

-- name: key_made
UPDATE idempotency_keys SET resource_id = $3 WHERE organisation_id = $1 AND key = $2

-- name: posting_organisation
-- What an organisation may dial, and the number that its alarms show. National forms are read where its address is, which
-- every admin of it may write; which countries it may dial is the organisation's row alone.
SELECT o.language, coalesce(c.country, o.country) AS country,
       CASE WHEN o.countries = '{}' THEN ARRAY[o.country] ELSE o.countries END AS countries,
       (SELECT n.number FROM numbers n WHERE n.organisation_id = o.id ORDER BY n.position LIMIT 1) AS number
FROM organisations o LEFT JOIN sip_customers c ON c.organisation_id = o.id
WHERE o.id = $1

-- name: some_users
-- With their active phones in their order.
SELECT u.id, u.name, u.language,
       coalesce(array_agg(p.number ORDER BY p.position, p.id) FILTER (WHERE p.is_active), '{}') AS numbers
FROM users u LEFT JOIN phones p ON p.user_id = u.id AND p.organisation_id = u.organisation_id
WHERE u.organisation_id = $1 AND u.id = ANY($2::bigint[])
GROUP BY u.id

-- name: some_contacts
SELECT id, trim(first_name || ' ' || last_name) AS name, language,
       array_remove(ARRAY[number] || more_numbers, NULL) AS numbers
FROM contacts
WHERE organisation_id = $1 AND id = ANY($2::bigint[])

-- name: some_groups
SELECT id FROM contact_groups WHERE organisation_id = $1 AND id = ANY($2::bigint[])

-- name: members_of_groups
-- In the order in which they joined.
SELECT group_id, user_id, contact_id FROM contact_group_members
WHERE organisation_id = $1 AND group_id = ANY($2::bigint[])
ORDER BY group_id, id

-- name: recording_exists
-- Whoever deletes it waits until the alarm is there, and finds it.
SELECT 1 FROM recordings WHERE organisation_id = $1 AND id = $2 AND audio IS NOT NULL FOR KEY SHARE

-- name: lock_budget
-- One POST of an organisation after the other counts calls. (NO KEY: rows that refer to the organisation are not kept waiting.)
SELECT calls_per_minute, calls_per_hour, calls_per_day, clock_timestamp() AS now, steady_now() AS steady
FROM organisations WHERE id = $1 FOR NO KEY UPDATE

-- name: calls_placed
-- $1 organisation, $2 now, by the steady clock. Placed within a minute, an hour, a day; and the first dials of open alarms that
-- are still to come.
SELECT count(*) FILTER (WHERE counted_at > $2::timestamptz - interval '1 minute') AS minute,
       count(*) FILTER (WHERE counted_at > $2::timestamptz - interval '1 hour') AS hour,
       count(*) AS day,
       (SELECT count(*)
        FROM alarms a JOIN alarm_recipients r ON r.alarm_id = a.id
        WHERE a.organisation_id = $1 AND a.finished_at IS NULL AND a.state IN ('queued', 'ringing')
          AND r.state = 'pending' AND r.phones <> '{}'
          AND NOT EXISTS (SELECT 1 FROM alarm_attempts t WHERE t.alarm_id = r.alarm_id AND t.recipient_id = r.id)
       ) AS waiting
FROM alarm_attempts
WHERE organisation_id = $1 AND direction = 'outbound' AND counted_at > $2::timestamptz - interval '1 day'

-- name: create_alarm
INSERT INTO alarms (organisation_id, needed, plan, request, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id

-- name: add_recipients
INSERT INTO alarm_recipients (organisation_id, alarm_id, position, user_id, contact_id, name, role, language, voice,
                              phones, group_ids, state)
SELECT $1, $2, r.position, r.user_id, r.contact_id, r.name, r.role, r.language, r.voice, r.phones, r.group_ids, r.state
FROM jsonb_to_recordset($3::jsonb) AS r(
    position integer, user_id bigint, contact_id bigint, name text, role text, language text, voice text,
    phones text[], group_ids bigint[], state text)
ORDER BY r.position

-- name: add_notes
INSERT INTO alarm_notes (organisation_id, alarm_id, at, type, recipient_id, phone, message)
SELECT $1, $2, $4, n.type, r.id, n.phone, n.message
FROM jsonb_to_recordset($3::jsonb) AS n(ord integer, position integer, type text, phone text, message text)
LEFT JOIN alarm_recipients r ON r.alarm_id = $2 AND r.position = n.position
ORDER BY n.ord

-- name: alarm
SELECT id, organisation_id, state, needed, request, created_at, decided_at, finished_at
FROM alarms WHERE organisation_id = $1 AND id = $2

-- name: alarms
-- Newest first: those with an id below $2, in state $3, created since $4.
SELECT a.id, a.organisation_id, a.state, a.needed, a.request, a.created_at, a.decided_at, a.finished_at,
       (SELECT jsonb_object_agg(s.state, s.n)
        FROM (SELECT r.state, count(*) AS n FROM alarm_recipients r WHERE r.alarm_id = a.id GROUP BY r.state) s) AS counts
FROM alarms a
WHERE a.organisation_id = $1 AND ($2::bigint IS NULL OR a.id < $2) AND ($3::text IS NULL OR a.state = $3)
  AND ($4::timestamptz IS NULL OR a.created_at >= $4)
ORDER BY a.id DESC LIMIT $5

-- name: recipients
SELECT id, user_id, contact_id, name, role, language, phones, state, acknowledged_at
FROM alarm_recipients WHERE organisation_id = $1 AND alarm_id = $2 ORDER BY position

-- name: recipient
SELECT user_id FROM alarm_recipients WHERE organisation_id = $1 AND alarm_id = $2 AND id = $3

-- name: attempts
SELECT recipient_id, leg, direction, phone, disposition, cause, placed_at, answered_at, ended_at
FROM alarm_attempts WHERE organisation_id = $1 AND alarm_id = $2 ORDER BY placed_at, leg

-- name: notes
SELECT at, type, recipient_id, leg, phone, message
FROM alarm_notes WHERE organisation_id = $1 AND alarm_id = $2 ORDER BY id

-- name: orders
SELECT kind, recipient_id, at FROM alarm_orders WHERE organisation_id = $1 AND alarm_id = $2 ORDER BY id

-- name: order
-- Once: what is ordered and not yet taken up is not ordered again.
INSERT INTO alarm_orders (organisation_id, alarm_id, kind, recipient_id, by)
SELECT a.organisation_id, a.id, $3, $4, $5 FROM alarms a
WHERE a.organisation_id = $1 AND a.id = $2
  AND NOT EXISTS (SELECT 1 FROM alarm_orders o
                  WHERE o.alarm_id = a.id AND o.kind = $3 AND o.recipient_id IS NOT DISTINCT FROM $4)

-- name: standing
-- How far an order of kind $3 about recipient $4 (or none) is.
SELECT a.state, a.finished_at IS NOT NULL AS is_over, r.state AS recipient_state,
       EXISTS (SELECT 1 FROM alarm_orders o
               WHERE o.alarm_id = a.id AND o.kind = $3 AND o.recipient_id IS NOT DISTINCT FROM $4) AS is_ordered
FROM alarms a LEFT JOIN alarm_recipients r ON r.alarm_id = a.id AND r.id = $4
WHERE a.organisation_id = $1 AND a.id = $2
