-- Webhooks and their deliveries. Deliveries are written by the trigger on events.

-- name: page
SELECT * FROM webhooks WHERE organisation_id = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: webhook
SELECT * FROM webhooks WHERE organisation_id = $1 AND id = $2

-- name: webhook_for_update
-- No stronger lock: the engine's saves write deliveries, which refer to this row, and must never wait for it.
SELECT * FROM webhooks WHERE organisation_id = $1 AND id = $2 FOR NO KEY UPDATE

-- name: create
-- No row: the organisation has as many as it may have. Two at once may make one more: the limit guards the sender only.
INSERT INTO webhooks (organisation_id, url, types, description, is_active, secrets)
SELECT $1, $2, $3, $4, $5, $6
WHERE (SELECT count(*) FROM webhooks WHERE organisation_id = $1) < $7
RETURNING *

-- name: replace
UPDATE webhooks SET url = $3, types = $4, description = $5, is_active = $6
WHERE organisation_id = $1 AND id = $2
RETURNING *

-- name: mute
-- No event makes a delivery for it from now on. The first of three steps of its removal.
UPDATE webhooks SET is_active = false WHERE organisation_id = $1 AND id = $2 RETURNING id

-- name: drop_deliveries
-- In portions, each a transaction: the row of the webhook is locked for no longer than its own removal takes.
DELETE FROM webhook_deliveries
WHERE id = ANY (ARRAY(
    SELECT id FROM webhook_deliveries WHERE organisation_id = $1 AND webhook_id = $2 LIMIT $3))
RETURNING id

-- name: delete
DELETE FROM webhooks WHERE organisation_id = $1 AND id = $2 RETURNING id

-- name: set_secrets
UPDATE webhooks SET secrets = $3 WHERE organisation_id = $1 AND id = $2 RETURNING *

-- name: deliveries
SELECT * FROM webhook_deliveries
WHERE organisation_id = $1 AND webhook_id = $2 AND id < $3 AND ($4::text IS NULL OR state = $4)
ORDER BY id DESC LIMIT $5

-- name: replay
-- From the beginning of the schedule. One that is being sent just now goes on as it is.
UPDATE webhook_deliveries
SET state = 'pending', tries = 0, due_at = now(), waits_since = now(), taken_until = NULL, delivered_at = NULL
WHERE organisation_id = $1 AND webhook_id = $2 AND id = $3
  AND NOT (state = 'pending' AND taken_until IS NOT NULL AND due_at > now())
RETURNING *

-- name: delivery
SELECT * FROM webhook_deliveries WHERE organisation_id = $1 AND webhook_id = $2 AND id = $3

-- name: replay_dead
-- Oldest first, no more than the deadline of a request allows.
UPDATE webhook_deliveries
SET state = 'pending', tries = 0, due_at = now(), waits_since = now(), taken_until = NULL
WHERE id = ANY (ARRAY(
    SELECT id FROM webhook_deliveries
    WHERE organisation_id = $1 AND webhook_id = $2 AND state = 'dead'
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED))
RETURNING id

-- name: wake
SELECT pg_notify('ringward_webhook', '')

-- name: claim
-- What is due, a few of each webhook ($2, less what this sender has in hand: $3, $4) and no more than $1 in all. The index
-- is walked from one webhook that has anything pending to the next, so that a receiver's backlog costs the others nothing;
-- in random order, so that no webhook is always the last. The try is counted here: a sender that dies has tried, and what
-- it had in hand is due when its time ($5) is over. `put_back`: what waits since a time to come does so since before the clock
-- was put back. It waits from now on as long as it was to wait then; who has it in hand is known by `taken_until`, which
-- stays.
WITH RECURSIVE put_back AS (
    UPDATE webhook_deliveries SET due_at = now() + (due_at - waits_since), waits_since = now()
    WHERE id = ANY (ARRAY(
        SELECT d.id FROM webhook_deliveries d
        WHERE d.state = 'pending' AND d.waits_since > now() + interval '1 second'
        LIMIT 1000
        FOR UPDATE SKIP LOCKED))
), waiting AS (
    (SELECT webhook_id FROM webhook_deliveries WHERE state = 'pending' ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.webhook_id FROM webhook_deliveries d
            WHERE d.state = 'pending' AND d.webhook_id > waiting.webhook_id ORDER BY d.webhook_id LIMIT 1)
    FROM waiting WHERE waiting.webhook_id IS NOT NULL
), free AS MATERIALIZED (
    SELECT waiting.webhook_id, greatest($2 - coalesce(busy.tries, 0), 0) AS tries
    FROM waiting
    LEFT JOIN unnest($3::bigint[], $4::integer[]) AS busy(webhook_id, tries) USING (webhook_id)
    WHERE waiting.webhook_id IS NOT NULL
    ORDER BY random()
), taken AS (
    UPDATE webhook_deliveries
    SET taken_until = now() + $5::interval, due_at = now() + $5::interval, waits_since = now(),
        tries = webhook_deliveries.tries + 1
    WHERE id = ANY (ARRAY(
        SELECT due.id FROM free
        CROSS JOIN LATERAL (
            SELECT d.id FROM webhook_deliveries d
            WHERE d.state = 'pending' AND d.webhook_id = free.webhook_id
              AND d.due_at <= now()
            ORDER BY d.due_at
            LIMIT free.tries
            FOR UPDATE SKIP LOCKED
        ) AS due
        LIMIT $1))
    RETURNING id, webhook_id, message_id, type, body, tries, taken_until
)
SELECT taken.*, w.url, w.is_active, w.secrets FROM taken JOIN webhooks w ON w.id = taken.webhook_id

-- name: delivered
-- True whoever holds it now.
UPDATE webhook_deliveries
SET state = 'delivered', delivered_at = now(), last_status = $2, last_error = NULL, taken_until = NULL
WHERE id = $1

-- name: failed
-- Only by who still holds it. `$4` null: there is no further try.
UPDATE webhook_deliveries
SET state = CASE WHEN $5::interval IS NULL THEN 'dead' ELSE 'pending' END, due_at = now() + coalesce($5, '0'),
    waits_since = now(), last_status = $3, last_error = $4, taken_until = NULL
WHERE id = $1 AND state = 'pending' AND taken_until = $2

-- name: switch_off
-- The receiver wants no more (410). Not when the webhook leads to another one by now.
UPDATE webhooks SET is_active = false WHERE id = $1 AND url = $2
