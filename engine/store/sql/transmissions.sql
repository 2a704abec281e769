-- Transmissions of the ICTCore API, and sending them. $1 is the organisation; `seen by` is the user who sees only what he
-- made, null who sees everybody's.

-- name: transmissions
SELECT t.id AS transmission_id, t.title, t.origin, t.contact_id, t.account_id, t.program_id, t.campaign_id,
       t.service_flag, t.direction, t.status, t.response, t.try_allowed, t.try_done,
       extract(epoch FROM t.last_run)::bigint AS last_run, t.is_deleted, t.created_by AS user_id, u.name AS username,
       a.username AS account_username, a.first_name AS account_first_name, a.last_name AS account_last_name,
       a.phone AS account_phone, a.email AS account_email,
       c.first_name AS contact_first_name, c.last_name AS contact_last_name, c.phone AS contact_phone,
       c.email AS contact_email, a.id IS NOT NULL AS has_account, c.id IS NOT NULL AS has_contact
FROM transmissions t
LEFT JOIN contacts c ON c.id = t.contact_id AND c.organisation_id = t.organisation_id
LEFT JOIN accounts a ON a.id = t.account_id AND a.organisation_id = t.organisation_id
LEFT JOIN users u ON u.id = t.created_by AND u.organisation_id = t.organisation_id
WHERE t.organisation_id = $1 /* filters */
ORDER BY t.id

-- name: create_transmission
-- $3: its columns as JSON
INSERT INTO transmissions (organisation_id, created_by, title, origin, contact_id, account_id, program_id,
                           service_flag, direction, try_allowed, is_deleted)
SELECT $1, $2, n.title, n.origin, n.contact_id, n.account_id, n.program_id, n.service_flag, n.direction, n.try_allowed,
       n.is_deleted
FROM jsonb_populate_record(NULL::transmissions, $3::jsonb) n
RETURNING id

-- name: update_transmission
-- $3 seen by, $4 the columns that change as JSON. Whom a call or a campaign is about does not change.
UPDATE transmissions t
SET (title, origin, contact_id, account_id, program_id, service_flag, direction, try_allowed, is_deleted)
    = (SELECT n.title, n.origin, n.contact_id, n.account_id, n.program_id, n.service_flag, n.direction, n.try_allowed,
              n.is_deleted
       FROM jsonb_populate_record(t, $4::jsonb) n)
WHERE t.organisation_id = $1 AND t.id = $2 AND ($3::bigint IS NULL OR t.created_by = $3)
  AND ((t.status <> 'processing' AND t.campaign_id IS NULL)
       OR (t.contact_id, t.program_id) = (coalesce(($4::jsonb ->> 'contact_id')::bigint, t.contact_id),
                                          coalesce(($4::jsonb ->> 'program_id')::bigint, t.program_id)))
RETURNING t.id

-- name: delete_transmission
-- Its spools and results stay; a call of it goes on. $3 seen by
WITH gone AS (
    DELETE FROM transmissions t
    WHERE t.organisation_id = $1 AND t.id = $2 AND ($3::bigint IS NULL OR t.created_by = $3)
    RETURNING t.id
), unscheduled AS (
    DELETE FROM schedules s USING gone WHERE s.organisation_id = $1 AND s.type = 'transmission' AND s.data = gone.id
)
SELECT id FROM gone

-- name: clone_transmission
-- As it was made; it is in no campaign. $3 seen by, $4 who makes it
INSERT INTO transmissions (organisation_id, created_by, title, origin, contact_id, account_id, program_id,
                           service_flag, direction, try_allowed)
SELECT t.organisation_id, $4, t.title, t.origin, t.contact_id, t.account_id, t.program_id, t.service_flag, t.direction,
       t.try_allowed
FROM transmissions t
WHERE t.organisation_id = $1 AND t.id = $2 AND ($3::bigint IS NULL OR t.created_by = $3)
RETURNING id

-- --- sending

-- name: lock_transmission
-- One `send` after the other, and none beside the engine. $3 seen by
SELECT t.status, t.is_deleted, t.service_flag, t.direction, t.contact_id, t.program_id
FROM transmissions t
WHERE t.organisation_id = $1 AND t.id = $2 AND ($3::bigint IS NULL OR t.created_by = $3)
FOR NO KEY UPDATE

-- name: sent_program
-- Whoever deletes it waits, and finds it in use. The extension: of a program that joins with one.
SELECT p.type, p.data, (SELECT x.phone FROM accounts x
                        WHERE x.organisation_id = $1 AND x.id = (p.data ->> 'extension_id')::bigint) AS extension_phone
FROM programs p
WHERE p.organisation_id = $1 AND p.id = $2
FOR KEY SHARE

-- name: sent_contact
SELECT c.number,
       EXISTS (SELECT FROM dnc_lists l JOIN dnc_numbers d ON d.list_id = l.id
               WHERE l.organisation_id = $1 AND l.is_opt_out AND d.number = c.number) AS has_opted_out
FROM contacts c
WHERE c.organisation_id = $1 AND c.id = $2

-- name: silent_recordings
-- Which of these cannot be played.
SELECT it.id FROM unnest($2::bigint[]) AS it(id)
WHERE NOT EXISTS (SELECT FROM recordings r WHERE r.organisation_id = $1 AND r.id = it.id AND r.audio IS NOT NULL)
ORDER BY it.id

-- name: hotline_numbers
-- Those of these numbers that are a hotline's of the organisation.
SELECT h.number FROM hotlines h
WHERE h.organisation_id = $1 AND h.deleted_at IS NULL AND h.number = ANY($2::text[])

-- name: sending_organisation
-- One that counts calls after the other, alarms' posts included. (NO KEY: rows that refer to it are not kept waiting.)
SELECT CASE WHEN o.countries = '{}' THEN ARRAY[o.country] ELSE o.countries END AS countries,
       EXISTS (SELECT FROM numbers n WHERE n.organisation_id = o.id) AS has_number,
       o.calls_per_minute, o.calls_per_hour, o.calls_per_day, steady_now() AS now
FROM organisations o
WHERE o.id = $1
FOR NO KEY UPDATE OF o

-- name: calls_placed
-- $1 organisation, $2 now, by the steady clock. Within a minute, an hour, a day: by alarms, by programs, and those that are
-- still to be dialled.
SELECT coalesce(sum(n.minute), 0)::bigint AS minute, coalesce(sum(n.hour), 0)::bigint AS hour,
       coalesce(sum(n.day), 0)::bigint AS day
FROM (SELECT count(*) FILTER (WHERE counted_at > $2::timestamptz - interval '1 minute') AS minute,
             count(*) FILTER (WHERE counted_at > $2::timestamptz - interval '1 hour') AS hour, count(*) AS day
      FROM alarm_attempts
      WHERE organisation_id = $1 AND direction = 'outbound' AND counted_at > $2::timestamptz - interval '1 day'
      UNION ALL
      SELECT count(*) FILTER (WHERE counted_at > $2::timestamptz - interval '1 minute'),
             count(*) FILTER (WHERE counted_at > $2::timestamptz - interval '1 hour'), count(*)
      FROM spools
      WHERE organisation_id = $1 AND counted_at > $2::timestamptz - interval '1 day'
      UNION ALL
      SELECT q.n, q.n, q.n
      FROM (SELECT count(*) AS n FROM spools
            WHERE organisation_id = $1 AND coalesce(campaign_id, 0) = 0 AND status = 'queued' AND time_end IS NULL) q) n

-- name: send
-- The transmission is locked. The spool's trigger wakes an engine, which takes it.
SELECT send_transmission(t.id) AS id FROM transmissions t WHERE t.organisation_id = $1 AND t.id = $2
