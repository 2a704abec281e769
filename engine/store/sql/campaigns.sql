-- Campaigns; $1 is the organisation. `seen by`: the user who sees only what he made, or null: who sees everybody's.
-- Whoever changes a campaign locks its row first, and then its group's.

-- name: page
-- `pending`: transmissions that are made and wait; those are few, whatever the list's length.
SELECT c.id, c.created_by, c.name, c.program_id, coalesce(p.type, '') AS program_type, c.group_id, c.account_id, c.source,
       c.cpm, c.try_allowed, c.calls_per_second, c.channels, c.call_window, c.retry, c.dnc_list_ids, c.opt_out_key,
       c.caller_ids, c.status, c.problem, c.contact_total, c.transmissions,
       (SELECT count(*) FROM transmissions t WHERE t.campaign_id = c.id AND t.status = 'pending') AS pending,
       c.last_run, c.started_at, c.finished_at, c.created_at
FROM campaigns c LEFT JOIN programs p ON p.id = c.program_id AND p.organisation_id = c.organisation_id
WHERE c.organisation_id = $1 /* filters */
ORDER BY c.id

-- name: campaign
-- $3 seen by
SELECT c.id, c.created_by, c.name, c.program_id, coalesce(p.type, '') AS program_type, c.group_id, c.account_id, c.source,
       c.cpm, c.try_allowed, c.calls_per_second, c.channels, c.call_window, c.retry, c.dnc_list_ids, c.opt_out_key,
       c.caller_ids, c.status, c.problem, c.contact_total, c.transmissions,
       (SELECT count(*) FROM transmissions t WHERE t.campaign_id = c.id AND t.status = 'pending') AS pending,
       c.last_run, c.started_at, c.finished_at, c.created_at
FROM campaigns c LEFT JOIN programs p ON p.id = c.program_id AND p.organisation_id = c.organisation_id
WHERE c.organisation_id = $1 AND c.id = $2 AND ($3::bigint IS NULL OR c.created_by = $3)

-- name: program_type
-- $3 seen by
SELECT type FROM programs WHERE organisation_id = $1 AND id = $2 AND ($3::bigint IS NULL OR created_by = $3)

-- name: create
-- $3: its columns as JSON; a column that is not in it has its default.
INSERT INTO campaigns (organisation_id, created_by, name, program_id, group_id, account_id, source, cpm, try_allowed)
SELECT $1, $2, coalesce(n.name, ''), n.program_id, n.group_id, n.account_id, coalesce(n.source, ''),
       coalesce(n.cpm, 2), coalesce(n.try_allowed, 1)
FROM jsonb_populate_record(NULL::campaigns, $3::jsonb) n
RETURNING id

-- name: update
-- $3 seen by, $4 the columns that change, as JSON. Whom it calls with what stays as it is once it was started. One that
-- runs is looked at at once, by its new pace; one that is given a group has it, whatever was wrong with the former one.
UPDATE campaigns c
SET (name, program_id, group_id, account_id, source, cpm, try_allowed, calls_per_second, channels, call_window, retry,
     dnc_list_ids, opt_out_key, caller_ids)
    = (SELECT n.name, n.program_id, n.group_id, n.account_id, n.source, n.cpm, n.try_allowed, n.calls_per_second,
              n.channels, n.call_window, n.retry, n.dnc_list_ids, n.opt_out_key, n.caller_ids
       FROM jsonb_populate_record(c, $4::jsonb) n),
    wakes_at = CASE WHEN c.status IN ('ready', 'running') THEN now() ELSE c.wakes_at END,
    problem = CASE WHEN c.status = 'new' AND $4::jsonb ? 'group_id' THEN '' ELSE c.problem END,
    paced_at = least(c.paced_at, now() + make_interval(secs => 60.0 / coalesce(($4::jsonb ->> 'cpm')::integer, c.cpm)))
WHERE c.organisation_id = $1 AND c.id = $2 AND ($3::bigint IS NULL OR c.created_by = $3)
  AND (c.status = 'new' OR (c.program_id = coalesce(($4::jsonb ->> 'program_id')::bigint, c.program_id)
                            AND c.group_id = coalesce(($4::jsonb ->> 'group_id')::bigint, c.group_id)))
RETURNING id

-- name: ask_again
-- Its window changed: whoever waits for it to open is asked about at once.
UPDATE campaign_postponed p SET due_at = now()
FROM campaigns c WHERE c.organisation_id = $1 AND c.id = $2 AND p.campaign_id = c.id

-- name: lock
-- $3 seen by. `has_group`: false when it is gone.
SELECT c.status, c.program_id, c.group_id,
       EXISTS (SELECT FROM contact_groups g WHERE g.id = c.group_id AND g.organisation_id = $1) AS has_group,
       c.caller_ids <> '{}' OR EXISTS (SELECT FROM numbers n WHERE n.organisation_id = $1) AS has_caller_id
FROM campaigns c
WHERE c.organisation_id = $1 AND c.id = $2 AND ($3::bigint IS NULL OR c.created_by = $3)
FOR NO KEY UPDATE OF c

-- name: lock_program
-- It is not removed before this campaign is seen to run.
SELECT type FROM programs WHERE organisation_id = $1 AND id = $2 FOR KEY SHARE

-- name: lock_group
-- Nobody is joining meanwhile: whoever adds members has this lock from before their ids are drawn until they are seen.
SELECT id FROM contact_groups WHERE organisation_id = $1 AND id = $2 FOR NO KEY UPDATE

-- name: begin
-- A statement of its own, behind the lock: it sees who was added under it.
UPDATE campaigns c
SET status = 'ready', problem = '', member_cursor = 0,
    member_limit = coalesce((SELECT max(m.id) FROM contact_group_members m WHERE m.group_id = c.group_id), 0),
    contact_total = (SELECT g.contact_total FROM contact_groups g WHERE g.id = c.group_id),
    started_at = now(), last_run = now(), wakes_at = now(), paced_at = NULL
WHERE c.organisation_id = $1 AND c.id = $2

-- name: resume
UPDATE campaigns SET status = 'running', problem = '', wakes_at = now(), last_run = now()
WHERE organisation_id = $1 AND id = $2

-- name: pause
UPDATE campaigns SET status = 'paused', wakes_at = NULL WHERE organisation_id = $1 AND id = $2

-- name: finish
UPDATE campaigns SET status = 'completed', wakes_at = NULL, finished_at = now() WHERE organisation_id = $1 AND id = $2

-- name: forget_postponed
DELETE FROM campaign_postponed p USING campaigns c
WHERE c.organisation_id = $1 AND c.id = $2 AND p.campaign_id = c.id

-- name: fail_pending
-- What waits for a call that will not be made; $3 why. Under the lock of the campaign's row: nobody makes an attempt of one
-- meanwhile, and who sends one by hand has it changed already. Both indexes of those that wait.
WITH failed AS (
    UPDATE transmissions t SET status = 'failed', response = $3, due_at = NULL
    WHERE t.organisation_id = $1 AND t.status IN ('pending', 'pending_retry') AND t.id = ANY(ARRAY(
        SELECT id FROM transmissions
        WHERE coalesce(campaign_id, 0) = $2 AND status IN ('pending', 'pending_retry') AND due_at IS NOT NULL
          AND NOT is_deleted
        UNION
        SELECT id FROM transmissions WHERE campaign_id = $2 AND status = 'pending'))
    RETURNING 1
)
SELECT count_figure($2, 'transmission failed', (SELECT count(*) FROM failed))

-- name: delete
-- Who is postponed and figures go with it; transmissions and spools stay.
DELETE FROM campaigns WHERE organisation_id = $1 AND id = $2

-- name: drop_schedules
-- Not one that is being run just now: it waits for the row that is gone, and says so.
DELETE FROM schedules WHERE id = ANY(ARRAY(
    SELECT id FROM schedules WHERE organisation_id = $1 AND type = 'campaign' AND data = $2 FOR UPDATE SKIP LOCKED))

-- name: progress
-- Counts that somebody keeps, and rows that are few at any time: no dearer for a million contacts.
SELECT c.status, c.contact_total, c.transmissions, c.cpm, c.calls_per_second, c.member_cursor < c.member_limit AS has_more,
       (SELECT jsonb_object_agg(f.figure, f.count)
        FROM (SELECT figure, sum(count) AS count FROM campaign_figures WHERE campaign_id = c.id GROUP BY figure) f)
           AS figures,
       (SELECT count(*) FROM transmissions t WHERE t.campaign_id = c.id AND t.status = 'pending') AS pending,
       (SELECT count(*) FROM campaign_postponed p WHERE p.campaign_id = c.id) AS postponed,
       open.processing, open.live,
       (SELECT count(*) FROM spools s WHERE s.campaign_id = c.id AND s.time_start > now() - interval '10 s') AS started
FROM campaigns c
CROSS JOIN LATERAL (
    SELECT count(*) AS processing, count(*) FILTER (WHERE s.status IN ('started', 'connected')) AS live
    FROM spools s WHERE coalesce(s.campaign_id, 0) = c.id AND s.time_end IS NULL) open
WHERE c.organisation_id = $1 AND c.id = $2

-- name: result_names
-- What its programs asked for, as columns: the first hundred by name.
SELECT DISTINCT r.name
FROM transmissions t JOIN spools s ON s.transmission_id = t.id JOIN results r ON r.spool_id = s.id
WHERE t.organisation_id = $1 AND t.campaign_id = $2 AND r.type = 'info'
ORDER BY r.name LIMIT 100

-- name: results
-- Transmissions of campaign $2 behind contact $3, $4 at a time, with how the last attempt ended and the last result of each
-- name. (The page is cut before the joins.)
SELECT t.contact_id, coalesce(s.number, c.number, '') AS phone, coalesce(c.first_name, '') AS first_name,
       coalesce(c.last_name, '') AS last_name, t.status, t.try_done AS tries, coalesce(s.disposition, '') AS disposition,
       (SELECT jsonb_object_agg(r.name, r.data ORDER BY r.id) FROM spools a JOIN results r ON r.spool_id = a.id
        WHERE a.transmission_id = t.id AND r.type = 'info') AS results
FROM (SELECT id, contact_id, status, try_done FROM transmissions
      WHERE organisation_id = $1 AND campaign_id = $2 AND contact_id > $3 ORDER BY contact_id LIMIT $4) t
LEFT JOIN contacts c ON c.id = t.contact_id
LEFT JOIN LATERAL (
    SELECT nullif(a.number, '') AS number, a.disposition FROM spools a WHERE a.transmission_id = t.id
    ORDER BY a.id DESC LIMIT 1) s ON true
ORDER BY t.contact_id
