-- Hotlines as the engine needs them, of every organisation: the engine owns the switch, not an organisation.

-- name: by_number
-- One statement: it stands between the INVITE and the first ring.
SELECT * FROM engine_hotlines WHERE number = $1

-- name: all
-- What the switch's own database must say for the fallback. An organisation's own number is in there as one that takes no
-- calls: who calls back while no engine runs is told to try later (480), not that there is no such number.
SELECT id, organisation_id, number, language, is_active, channels_inbound, channels_outbound, greeting_sound, ask_sound,
       phone_ids, user_ids, numbers
FROM engine_hotlines
UNION ALL
SELECT 0, n.organisation_id, n.number, o.language, false, 1, 1, NULL, NULL, '{}', '{}', '{}'
FROM numbers n JOIN organisations o ON o.id = n.organisation_id
ORDER BY 1, 3

-- name: mark_seen
-- An engine has seen the POST: created → starting (or paused, when it was made inactive).
UPDATE hotlines SET status = CASE WHEN is_active THEN 'starting' ELSE 'paused' END
WHERE deleted_at IS NULL AND ready_revision < revision AND status = 'created'

-- name: unready
SELECT h.id, h.revision, o.language, h.is_active, h.tts_inbound, h.tts_outbound
FROM hotlines h
JOIN organisations o ON o.id = h.organisation_id
WHERE h.deleted_at IS NULL AND h.ready_revision < h.revision
ORDER BY h.id

-- name: failed
-- Few, and asked for now and then. A newer revision is `unready`, not failed.
SELECT h.id, h.revision, o.language, h.is_active, h.tts_inbound, h.tts_outbound
FROM hotlines h
JOIN organisations o ON o.id = h.organisation_id
WHERE h.deleted_at IS NULL AND h.ready_revision = h.revision AND h.error IS NOT NULL
ORDER BY h.id

-- name: mark_ready
-- Only the revision that was rendered: a PUT that came meanwhile stays unready. The trigger tells the engine.
UPDATE hotlines
SET ready_revision = revision, greeting_sound = $3, ask_sound = $4, error = $5,
    status = CASE WHEN NOT is_active THEN 'paused' WHEN $5::text IS NOT NULL THEN 'error' ELSE 'active' END
WHERE id = $1 AND revision = $2 AND deleted_at IS NULL
