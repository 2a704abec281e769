-- Organisations for operators; $1 is the organisation, except in those marked "across".

-- name: page
-- Across: a system token lists all.
SELECT id, name, country, language, countries, calls_per_minute, calls_per_hour, calls_per_day
FROM organisations WHERE id > $1 ORDER BY id LIMIT $2

-- name: organisation
SELECT id, name, country, language, countries, calls_per_minute, calls_per_hour, calls_per_day
FROM organisations WHERE id = $1

-- name: create
-- Across.
INSERT INTO organisations (name, country, language, countries, calls_per_minute, calls_per_hour, calls_per_day)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id, name, country, language, countries, calls_per_minute, calls_per_hour, calls_per_day

-- name: add_token
INSERT INTO tokens (organisation_id, digest) VALUES ($1, $2)

-- name: replace
UPDATE organisations SET name = $2, country = $3, language = $4, countries = $5, calls_per_minute = $6,
                         calls_per_hour = $7, calls_per_day = $8
WHERE id = $1
RETURNING id, name, country, language, countries, calls_per_minute, calls_per_hour, calls_per_day

-- name: lock
SELECT id, language FROM organisations WHERE id = $1 FOR UPDATE

-- name: speak_anew
-- A new revision is what the engine renders speech for.
UPDATE hotlines SET revision = revision + 1, status = CASE WHEN is_active THEN 'starting' ELSE 'paused' END
WHERE organisation_id = $1 AND deleted_at IS NULL

-- name: left
-- What an organisation is kept for: numbers that callers know, and call history. A deleted hotline counts by its logs.
SELECT (SELECT count(*) FROM hotlines WHERE organisation_id = $1 AND deleted_at IS NULL) AS hotlines,
       (SELECT count(*) FROM alarms WHERE organisation_id = $1) AS alarms,
       (SELECT count(*) FROM call_logs WHERE organisation_id = $1) AS "callLogs",
       (SELECT count(*) FROM spools WHERE organisation_id = $1) AS spools

-- name: free_numbers
UPDATE numbers SET organisation_id = NULL, name = '', position = nextval('numbers_position')
WHERE organisation_id = $1

-- name: drop_webhooks
-- Deliveries go with them.
DELETE FROM webhooks WHERE organisation_id = $1

-- name: drop_campaigns
-- Before the events that tell of it. What is theirs goes with them; transmissions, programs, do-not-call lists and schedules
-- with the organisation.
DELETE FROM campaigns WHERE organisation_id = $1

-- name: drop_events
DELETE FROM events WHERE organisation_id = $1

-- name: drop_keys
DELETE FROM idempotency_keys WHERE organisation_id = $1

-- name: drop_accounts
DELETE FROM accounts WHERE organisation_id = $1

-- name: drop_roles
DELETE FROM roles WHERE organisation_id = $1

-- name: drop_recordings
DELETE FROM recordings WHERE organisation_id = $1

-- name: drop_groups
-- Memberships go with them.
DELETE FROM contact_groups WHERE organisation_id = $1

-- name: drop_contacts
DELETE FROM contacts WHERE organisation_id = $1

-- name: drop_agents
-- Of hotlines that are deleted: there are no others.
DELETE FROM hotline_agents a USING hotlines h WHERE h.id = a.hotline_id AND h.organisation_id = $1

-- name: drop_hotlines
DELETE FROM hotlines WHERE organisation_id = $1

-- name: drop_phones
DELETE FROM phones WHERE organisation_id = $1

-- name: drop_tokens
DELETE FROM tokens WHERE organisation_id = $1

-- name: drop_users
DELETE FROM users WHERE organisation_id = $1

-- name: drop_permissions
DELETE FROM permissions WHERE organisation_id = $1

-- name: drop_sip_customer
DELETE FROM sip_customers WHERE organisation_id = $1

-- name: drop_organisation
DELETE FROM organisations WHERE id = $1
