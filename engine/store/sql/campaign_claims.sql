-- Whom campaigns and single transmissions call next, for the engine: of every organisation, since the engine owns a switch.
-- Used by engine/store/campaign_claims.py. What a live call writes is saved by save_program_rows (migration 0010).
-- Arrays of ids instead of joins with what is locked keep the plans index look-ups (a join scanned 400,000 rows), and so
-- does statement_timestamp() where rows are looked for by time: clock_timestamp() bounds no index scan.

-- name: take_sent
-- $1 switch, $2 most. Spools of POST …/send that nobody has taken yet.
UPDATE spools SET claimed_switch = e.switch, claimed_engine = e.engine_id
FROM engines e
WHERE e.switch = $1 AND spools.id = ANY(ARRAY(
    SELECT s.id FROM spools s
    WHERE s.claimed_switch IS NULL AND s.time_end IS NULL AND s.status = 'queued'
    ORDER BY s.id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))
RETURNING spools.id

-- name: put_back
-- $1 most. Whose last attempt began in the future: the clock was put back since, by an hour perhaps, and the next one would
-- come as much too late. He waits from now on as long as he was to wait then, no longer and no shorter. Whoever locks
-- such a row does it, and then it is none: of several engines one puts it right, once. A window (`postpone_again`) is
-- looked at again when its turn comes.
UPDATE transmissions SET due_at = statement_timestamp() + (due_at - last_run), last_run = statement_timestamp()
WHERE id = ANY(ARRAY(
    SELECT t.id FROM transmissions t
    WHERE t.status IN ('pending', 'pending_retry') AND t.due_at IS NOT NULL AND NOT t.is_deleted
      AND t.last_run > statement_timestamp()
    ORDER BY t.last_run DESC LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED))

-- name: take_due
-- $1 switch, $2 most. Single transmissions whose next attempt is due.
WITH due AS (
    UPDATE transmissions SET status = 'processing', try_done = try_done + 1, last_run = clock_timestamp(), due_at = NULL
    WHERE id = ANY(ARRAY(
        SELECT t.id FROM transmissions t
        WHERE coalesce(t.campaign_id, 0) = 0 AND t.status IN ('pending', 'pending_retry')
          AND t.due_at <= statement_timestamp() AND NOT t.is_deleted
        ORDER BY t.due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING id, organisation_id, account_id, service_flag
)
INSERT INTO spools (organisation_id, transmission_id, account_id, service_flag, is_sent, claimed_switch, claimed_engine)
SELECT d.organisation_id, d.id, d.account_id, d.service_flag, true, e.switch, e.engine_id
FROM due d CROSS JOIN engines e WHERE e.switch = $1
RETURNING id

-- name: next_due
-- When a single transmission, or a campaign, has something to do.
SELECT least(
    (SELECT min(t.due_at) FROM transmissions t
     WHERE coalesce(t.campaign_id, 0) = 0 AND t.status IN ('pending', 'pending_retry') AND t.due_at IS NOT NULL
       AND NOT t.is_deleted),
    (SELECT min(c.wakes_at) FROM campaigns c WHERE c.status IN ('ready', 'running'))) - clock_timestamp() AS due_in

-- name: awake
-- Locked for this transaction: of several engines one at a time hands out a campaign's calls. None sleeps longer than $2:
-- one that does was told to by a clock that has been put back since.
SELECT c.id, c.organisation_id, c.created_by, c.program_id, c.group_id, c.account_id, c.cpm, c.try_allowed,
       c.calls_per_second, c.channels, c.call_window, c.retry, c.dnc_list_ids, c.opt_out_key, c.caller_ids,
       c.member_cursor, c.member_limit, c.paced_at, c.transmissions, p.type AS program_type, p.name AS program_name,
       coalesce(sc.country, o.country) AS country, o.language,
       coalesce(nullif(o.countries, '{}'), ARRAY[o.country]) AS countries,
       o.calls_per_minute, o.calls_per_hour, o.calls_per_day, clock_timestamp() AS now,
       EXISTS (SELECT FROM contact_groups g WHERE g.id = c.group_id AND g.organisation_id = c.organisation_id) AS has_group,
       (SELECT count(*) FROM spools s WHERE coalesce(s.campaign_id, 0) = c.id AND s.time_end IS NULL) AS live,
       (SELECT count(*) FROM campaign_postponed w WHERE w.campaign_id = c.id) AS postponed   -- bounded, see claims
FROM campaigns c
JOIN organisations o ON o.id = c.organisation_id
LEFT JOIN sip_customers sc ON sc.organisation_id = c.organisation_id
LEFT JOIN programs p ON p.id = c.program_id AND p.organisation_id = c.organisation_id
WHERE c.id = ANY(ARRAY(
    SELECT id FROM campaigns
    WHERE status IN ('ready', 'running') AND wakes_at <= statement_timestamp()
    ORDER BY wakes_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED) || ARRAY(
    SELECT id FROM campaigns
    WHERE status IN ('ready', 'running') AND wakes_at > statement_timestamp() + $2::interval
    ORDER BY wakes_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED))
ORDER BY c.wakes_at, c.id

-- name: keep_steady
-- Migration 0015. In no transaction with anything else: others wait for it after the clock has jumped.
SELECT keep_steady($1)

-- name: dialled
-- $1 organisation, $2 now, by the steady clock. How many calls campaigns and transmissions of the organisation placed within a
-- minute, and how many are claimed to be placed: they count as well, or each claim until the first of them is dialled would
-- exceed the limit.
SELECT (SELECT count(*) FROM spools
        WHERE organisation_id = $1 AND counted_at > $2::timestamptz - interval '1 minute')
       + (SELECT count(*) FROM alarm_attempts WHERE organisation_id = $1 AND direction = 'outbound'
            AND counted_at > $2::timestamptz - interval '1 minute') AS minute,
       (SELECT count(*) FROM spools
        WHERE organisation_id = $1 AND claimed_switch IS NOT NULL AND time_end IS NULL AND time_start IS NULL) AS claimed

-- name: dialled_long
-- Within an hour, a day, alarms as well: of a day many rows, so this is not asked at every claim.
SELECT count(*) FILTER (WHERE at > $2::timestamptz - interval '1 hour') AS hour, count(*) AS day
FROM (SELECT s.counted_at AS at FROM spools s
      WHERE s.organisation_id = $1 AND s.counted_at > $2::timestamptz - interval '1 day'
      UNION ALL
      SELECT t.counted_at FROM alarm_attempts t
      WHERE t.organisation_id = $1 AND t.direction = 'outbound' AND t.counted_at > $2::timestamptz - interval '1 day') placed

-- name: due_again
-- $1 campaign, $2 organisation, $3 its do-not-call lists, $4 most. Those that wait for their next attempt.
SELECT t.id AS transmission_id, t.contact_id, c.number, c.time_zone,
       c.id IS NULL OR NOT EXISTS (
           SELECT FROM contact_group_members m WHERE m.group_id = k.group_id AND m.contact_id = t.contact_id) AS has_left,
       EXISTS (SELECT FROM dnc_lists l JOIN dnc_numbers d ON d.list_id = l.id AND d.number = c.number
               WHERE l.organisation_id = $2 AND (l.is_opt_out OR l.id = ANY($3::bigint[]))) AS is_refused
FROM transmissions t
JOIN campaigns k ON k.id = $1
LEFT JOIN contacts c ON c.id = t.contact_id AND c.organisation_id = $2
WHERE coalesce(t.campaign_id, 0) = $1 AND t.status IN ('pending', 'pending_retry') AND t.due_at <= statement_timestamp()
  AND NOT t.is_deleted
ORDER BY t.due_at LIMIT $4
FOR NO KEY UPDATE OF t SKIP LOCKED

-- name: due_postponed
-- Their window is open by now. Who left the group meanwhile is not there.
SELECT w.member_id, w.contact_id, c.number, c.time_zone, c.id IS NULL OR m.id IS NULL AS has_left,
       EXISTS (SELECT FROM dnc_lists l JOIN dnc_numbers d ON d.list_id = l.id AND d.number = c.number
               WHERE l.organisation_id = $2 AND (l.is_opt_out OR l.id = ANY($3::bigint[]))) AS is_refused
FROM campaign_postponed w
LEFT JOIN contacts c ON c.id = w.contact_id AND c.organisation_id = $2
LEFT JOIN contact_group_members m ON m.id = w.member_id
WHERE w.campaign_id = $1 AND w.due_at <= statement_timestamp()
ORDER BY w.due_at LIMIT $4

-- name: new_members
-- $5 the group, $6 after this member, $7 up to this one. The members first, so that no plan walks another way through them;
-- ordered as their index is.
WITH listed AS MATERIALIZED (
    SELECT m.id, m.contact_id
    FROM contact_group_members m
    WHERE m.group_id = $5 AND m.id > $6 AND m.id <= $7
    ORDER BY m.group_id, m.id LIMIT $4
)
SELECT m.id AS member_id, m.contact_id, c.number, c.time_zone, m.contact_id IS NULL OR c.id IS NULL AS has_left,
       EXISTS (SELECT FROM dnc_lists l JOIN dnc_numbers d ON d.list_id = l.id AND d.number = c.number
               WHERE l.organisation_id = $2 AND (l.is_opt_out OR l.id = ANY($3::bigint[]))) AS is_refused
FROM listed m
LEFT JOIN LATERAL (
    SELECT k.id, k.number, k.time_zone FROM contacts k WHERE k.id = m.contact_id AND k.organisation_id = $2 LIMIT 1) c ON true
WHERE $1::bigint IS NOT NULL
ORDER BY m.id

-- name: postpone
INSERT INTO campaign_postponed (campaign_id, contact_id, member_id, due_at)
SELECT $1, p.contact_id, p.member_id, p.due_at
FROM jsonb_to_recordset($2::jsonb) AS p(contact_id bigint, member_id bigint, due_at timestamptz)
ON CONFLICT (campaign_id, contact_id) DO UPDATE SET due_at = EXCLUDED.due_at

-- name: postponed_no_more
DELETE FROM campaign_postponed WHERE campaign_id = $1 AND contact_id = ANY($2::bigint[])

-- name: postpone_again
UPDATE transmissions t SET due_at = p.due_at
FROM jsonb_to_recordset($1::jsonb) AS p(transmission_id bigint, due_at timestamptz)
WHERE t.id = p.transmission_id

-- name: make
-- $1 campaign, $2 the contacts: {contact_id, status, response}. A transmission each: those that are called now, and those that never are.
INSERT INTO transmissions (organisation_id, created_by, title, origin, contact_id, account_id, program_id, campaign_id,
                           status, response, try_allowed, try_done, last_run)
SELECT c.organisation_id, c.created_by, coalesce(p.name, ''), coalesce(p.type, ''), n.contact_id, c.account_id, c.program_id, c.id,
       n.status, n.response, c.try_allowed, CASE n.status WHEN 'processing' THEN 1 ELSE 0 END,
       CASE n.status WHEN 'processing' THEN clock_timestamp() END
FROM campaigns c
LEFT JOIN programs p ON p.id = c.program_id
CROSS JOIN jsonb_to_recordset($2::jsonb) AS n(ord integer, contact_id bigint, status text, response text)
WHERE c.id = $1
ORDER BY n.ord
ON CONFLICT (campaign_id, contact_id) DO NOTHING
RETURNING id, status

-- name: again
-- The next attempt of these begins.
UPDATE transmissions SET status = 'processing', try_done = try_done + 1, last_run = clock_timestamp(), due_at = NULL
WHERE id = ANY($1::bigint[])

-- name: never_again
UPDATE transmissions SET status = 'invalid', response = $2, due_at = NULL WHERE id = $1

-- name: count
-- What was decided without a call. The switch '' is nobody's saver's.
INSERT INTO campaign_figures AS f (campaign_id, switch, figure, count) VALUES ($1, '', $2, $3)
ON CONFLICT (campaign_id, switch, figure) DO UPDATE SET count = f.count + EXCLUDED.count

-- name: spool
-- $1 switch, $2 transmissions: an attempt of ours for each.
INSERT INTO spools (organisation_id, transmission_id, campaign_id, account_id, service_flag, claimed_switch, claimed_engine)
SELECT t.organisation_id, t.id, t.campaign_id, t.account_id, t.service_flag, e.switch, e.engine_id
FROM transmissions t CROSS JOIN engines e
WHERE e.switch = $1 AND t.id = ANY($2::bigint[])
ORDER BY t.id
RETURNING id

-- name: advance
-- $2 cursor, $3 paced_at, $4 wakes_at, $5 transmissions made now.
UPDATE campaigns SET member_cursor = $2, paced_at = $3, wakes_at = $4, transmissions = transmissions + $5,
    status = CASE WHEN $5 > 0 OR $6 THEN 'running' ELSE status END,
    last_run = CASE WHEN $6 THEN clock_timestamp() ELSE last_run END
WHERE id = $1

-- name: what_is_left
-- Of a campaign whose list has been gone through: who still waits, and until when.
SELECT (SELECT min(t.due_at) FROM transmissions t
        WHERE coalesce(t.campaign_id, 0) = $1 AND t.status IN ('pending', 'pending_retry') AND t.due_at IS NOT NULL
          AND NOT t.is_deleted) AS next_try,
       (SELECT min(w.due_at) FROM campaign_postponed w WHERE w.campaign_id = $1) AS next_window,
       EXISTS (SELECT FROM contact_group_members m JOIN campaigns c ON c.id = $1
               WHERE m.group_id = c.group_id AND m.id > $2 AND m.id <= c.member_limit AND m.contact_id IS NOT NULL) AS has_members,
       EXISTS (SELECT FROM spools s WHERE coalesce(s.campaign_id, 0) = $1 AND s.time_end IS NULL) AS is_live

-- name: complete
UPDATE campaigns SET status = 'completed', finished_at = clock_timestamp(), wakes_at = NULL WHERE id = $1

-- name: break
UPDATE campaigns SET status = 'broken', problem = $2, wakes_at = NULL WHERE id = $1

-- name: attempts
-- All that a call needs to know. $1 spools. An own number of the organisation is shown, or one of the campaign's in turn.
SELECT s.call_id::text AS call_id, s.id AS spool_id, t.id AS transmission_id,
       CASE WHEN NOT s.is_sent THEN s.campaign_id END AS campaign_id, s.organisation_id,
       p.type AS program_type, p.data AS program, c.number, c.language AS contact_language, o.language,
       coalesce(sc.country, o.country) AS country,
       coalesce(nullif(o.countries, '{}'), ARRAY[o.country]) AS countries,
       c.first_name, c.last_name, c.phone, c.email, c.address, c.custom1, c.custom2, c.custom3, c.description,
       EXISTS (SELECT FROM dnc_lists l JOIN dnc_numbers d ON d.list_id = l.id AND d.number = c.number
               WHERE l.organisation_id = s.organisation_id AND l.is_opt_out) AS has_opted_out,
       t.title, t.direction, t.try_allowed, t.try_done, k.retry, coalesce(k.opt_out_key, '') AS opt_out_key,
       k.calls_per_second,
       coalesce(
           k.caller_ids[1 + (t.id % nullif(cardinality(k.caller_ids), 0))::integer],
           (SELECT n.number FROM numbers n WHERE n.organisation_id = s.organisation_id ORDER BY n.position LIMIT 1)
       ) AS caller_id,
       (SELECT a.phone FROM accounts a
        WHERE a.organisation_id = s.organisation_id AND a.id = CASE
            WHEN p.data ->> 'extension_id' ~ '^[0-9]{1,18}$' THEN (p.data ->> 'extension_id')::bigint END) AS extension,
       ARRAY(SELECT h.number FROM hotlines h
             WHERE h.organisation_id = s.organisation_id AND h.deleted_at IS NULL) AS hotlines
FROM spools s
JOIN transmissions t ON t.id = s.transmission_id
JOIN organisations o ON o.id = s.organisation_id
LEFT JOIN sip_customers sc ON sc.organisation_id = s.organisation_id
LEFT JOIN campaigns k ON k.id = s.campaign_id
LEFT JOIN programs p ON p.id = t.program_id AND p.organisation_id = s.organisation_id
LEFT JOIN contacts c ON c.id = t.contact_id AND c.organisation_id = s.organisation_id
WHERE s.id = ANY($1::bigint[]) AND s.time_end IS NULL
ORDER BY s.id

-- name: take_inbound
-- $1 switch, $2 the number that was called, $3 the caller's. A program `forward` whose DID is this number of the organisation
-- takes the call: who calls is a contact, or becomes one. A DID has its number as its phone or its name.
WITH wanted AS (
    SELECT p.id, p.organisation_id, p.created_by, p.name, a.id AS account_id
    FROM numbers n
    JOIN accounts a ON a.organisation_id = n.organisation_id AND a.type = 'did' AND a.active
        AND regexp_replace(a.username || ' ' || a.phone, '[^0-9 ]', '', 'g') ~ ('(^| )(00)?' || substr($2, 2) || '( |$)')
    JOIN programs p ON p.organisation_id = n.organisation_id AND p.type = 'forward'
        AND p.data ->> 'did_id' = a.id::text
    WHERE n.number = $2 AND n.hotline_id IS NULL
    ORDER BY p.id LIMIT 1
), known AS (
    SELECT c.id FROM contacts c JOIN wanted w ON w.organisation_id = c.organisation_id
    WHERE c.number = $3 ORDER BY c.id LIMIT 1
), new AS (
    INSERT INTO contacts (organisation_id, created_by, phone, number)
    SELECT w.organisation_id, w.created_by, CASE WHEN $3 = '+' THEN '' ELSE $3 END,
           CASE WHEN $3 ~ '^\+[0-9]{3,15}$' THEN $3 END
    FROM wanted w WHERE NOT EXISTS (SELECT FROM known)
    RETURNING id
), made AS (
    INSERT INTO transmissions (organisation_id, created_by, title, origin, contact_id, account_id, program_id, direction,
                               status, try_done, last_run)
    SELECT w.organisation_id, w.created_by, w.name, 'forward', coalesce((SELECT id FROM known), (SELECT id FROM new)),
           w.account_id, w.id, 'inbound', 'processing', 1, clock_timestamp()
    FROM wanted w
    RETURNING id, organisation_id, account_id
)
INSERT INTO spools (organisation_id, transmission_id, account_id, number, status, time_start, counted_at, claimed_switch,
                    claimed_engine)
SELECT m.organisation_id, m.id, m.account_id, $3, 'started', clock_timestamp(), steady_now(), e.switch, e.engine_id
FROM made m CROSS JOIN engines e WHERE e.switch = $1
RETURNING id

-- name: gone_transmissions
-- Their transmission was deleted before they were taken.
UPDATE spools SET status = 'invalid', time_end = clock_timestamp(), response = 'the transmission was deleted'
WHERE id = ANY($1::bigint[]) AND time_end IS NULL
  AND NOT EXISTS (SELECT FROM transmissions t WHERE t.id = spools.transmission_id)

-- name: give_up
-- $1 spool, $2 why, $3 after how long the next attempt may begin (null: never).
WITH ended AS (
    UPDATE spools SET status = 'failed', disposition = 'failed', time_end = clock_timestamp(), response = left($2, 80)
    WHERE id = $1 AND time_end IS NULL
    RETURNING transmission_id, campaign_id
), changed AS (
    UPDATE transmissions t
    SET status = CASE WHEN $3::interval IS NULL THEN 'failed' ELSE 'pending_retry' END, response = left($2, 80),
        due_at = clock_timestamp() + $3::interval
    FROM ended WHERE t.id = ended.transmission_id AND t.status = 'processing'
    RETURNING t.campaign_id, t.status
)
INSERT INTO campaign_figures AS f (campaign_id, switch, figure, count)
SELECT c.id, '', told.figure, 1
FROM (SELECT campaign_id, 'transmission failed' AS figure FROM changed WHERE status = 'failed'
      UNION ALL SELECT campaign_id, 'failed' FROM ended) told
JOIN campaigns c ON c.id = told.campaign_id
ON CONFLICT (campaign_id, switch, figure) DO UPDATE SET count = f.count + 1

-- name: free_lost
-- $1 switch, $2 calls that are about to begin, $3 when another engine counts as gone; also when its beat is to come: it has
-- not beaten since the clock was put back. A campaign's is given back, as if it had never been claimed; a single one keeps
-- its spool, whose id its sender knows.
WITH lost AS (
    SELECT s.id, s.transmission_id, s.campaign_id, s.status, s.is_sent
    FROM spools s
    WHERE s.claimed_switch IS NOT NULL AND s.time_end IS NULL
      AND (s.status = 'queued' OR s.time_spool < clock_timestamp() - $3::interval)
      AND (s.claimed_switch = $1 OR NOT EXISTS (
          SELECT FROM engines other
          WHERE other.switch = s.claimed_switch AND other.engine_id = s.claimed_engine
            AND other.beat_at BETWEEN clock_timestamp() - $3::interval AND clock_timestamp() + $3::interval))
      AND s.call_id <> ALL($2::uuid[])
      AND NOT EXISTS (SELECT FROM calls c WHERE c.id = s.call_id)
    FOR NO KEY UPDATE SKIP LOCKED
), given_back AS (
    UPDATE spools SET status = 'invalid', disposition = 'withdrawn', time_end = clock_timestamp(),
        response = 'never dialled: its engine ended'
    WHERE id = ANY(ARRAY(SELECT id FROM lost WHERE status = 'queued' AND NOT is_sent))
), free AS (
    UPDATE spools SET claimed_switch = NULL, claimed_engine = NULL
    WHERE id = ANY(ARRAY(SELECT id FROM lost WHERE status = 'queued' AND is_sent))
), ended AS (  -- one that called us: nobody took it
    UPDATE spools SET status = 'failed', disposition = 'lost', time_end = clock_timestamp(), response = 'its engine ended'
    WHERE id = ANY(ARRAY(SELECT id FROM lost WHERE status <> 'queued'))
), failed AS (
    UPDATE transmissions SET status = 'failed', response = 'its engine ended'
    WHERE id = ANY(ARRAY(SELECT transmission_id FROM lost WHERE status <> 'queued')) AND status = 'processing'
), waiting AS (
    UPDATE transmissions SET status = 'pending', try_done = try_done - 1, due_at = clock_timestamp()
    WHERE id = ANY(ARRAY(SELECT transmission_id FROM lost WHERE status = 'queued' AND NOT is_sent))
      AND status = 'processing'
), awake AS (
    UPDATE campaigns SET wakes_at = least(wakes_at, clock_timestamp())
    WHERE id = ANY(ARRAY(SELECT campaign_id FROM lost WHERE NOT is_sent)) AND wakes_at IS NOT NULL
)
SELECT count(*) FROM lost

-- name: halted
SELECT asked.id FROM unnest($1::bigint[]) AS asked(id)
WHERE NOT EXISTS (SELECT FROM campaigns c WHERE c.id = asked.id AND c.status IN ('ready', 'running'))

-- name: coming
-- $1 most: the next members of each running campaign whose program has a text.
SELECT c.id AS campaign_id, c.organisation_id, p.type AS program_type, p.data AS program, o.language,
       n.contact_language, n.first_name, n.last_name, n.phone, n.email, n.address, n.custom1, n.custom2, n.custom3,
       n.description, n.number
FROM campaigns c
JOIN organisations o ON o.id = c.organisation_id
JOIN programs p ON p.id = c.program_id AND p.organisation_id = c.organisation_id
CROSS JOIN LATERAL (
    SELECT k.language AS contact_language, k.first_name, k.last_name, k.phone, k.email, k.address, k.custom1, k.custom2,
           k.custom3, k.description, k.number
    FROM contact_group_members m JOIN contacts k ON k.id = m.contact_id
    WHERE m.group_id = c.group_id AND m.id > c.member_cursor AND m.id <= c.member_limit AND k.number IS NOT NULL
    ORDER BY m.id LIMIT $1) n
WHERE c.status IN ('ready', 'running') AND p.data::text LIKE '%"text"%'
  AND (p.data::text LIKE '%{%}%' AND p.data::text ~ '[{\[][a-z]')

-- name: keep_recording
WITH made AS (
    INSERT INTO recordings (organisation_id, name, audio, digest, duration_ms, description)
    SELECT s.organisation_id, 'Spool ' || s.id || ', step ' || $2::integer, $3, encode(sha256($3), 'hex'), $4, ''
    FROM spools s
    WHERE s.id = $1 AND NOT EXISTS (
        SELECT FROM results r
        WHERE r.spool_id = $1 AND r.application_id = $2 AND r.type = 'message' AND r.name = 'recording')
    RETURNING id, organisation_id
)
INSERT INTO results (organisation_id, spool_id, application_id, type, name, data)
SELECT organisation_id, $1, $2, 'message', 'recording', id::text FROM made

-- name: dialled_within
SELECT extract(epoch FROM steady_now() - counted_at)::float8 FROM spools
WHERE claimed_switch = $1 AND counted_at >= steady_now() - $2::interval
