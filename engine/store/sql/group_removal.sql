-- The end of a contact group, for every API that deletes one; $1 is the organisation.
-- Whoever changes a campaign locks its row first, and then its group's: so does a removal.

-- name: lock_campaigns
-- Those that name the groups $2 and are not over.
SELECT id FROM campaigns
WHERE organisation_id = $1 AND group_id = ANY($2::bigint[]) AND status IN ('new', 'ready', 'running', 'paused')
ORDER BY id FOR NO KEY UPDATE

-- name: delete
-- Memberships go with them, contacts and users stay. $3: who sees only what he made, or null: who sees everybody's.
DELETE FROM contact_groups WHERE id = ANY(ARRAY(
    SELECT id FROM contact_groups
    WHERE organisation_id = $1 AND id = ANY($2::bigint[]) AND ($3::bigint IS NULL OR created_by = $3)
    ORDER BY id FOR UPDATE))
RETURNING id

-- name: break
-- $2 campaigns whose group has just gone, $3 why. One that was not started may be given another group.
UPDATE campaigns SET status = CASE status WHEN 'new' THEN 'new' ELSE 'broken' END, problem = $3, wakes_at = NULL
WHERE organisation_id = $1 AND id = ANY($2::bigint[])

-- name: forget_postponed
DELETE FROM campaign_postponed p USING campaigns c
WHERE c.organisation_id = $1 AND c.id = ANY($2::bigint[]) AND p.campaign_id = c.id

-- name: fail_waiting
-- What waits for a call of campaigns $2 that will not be made; $3 why. As `fail_pending` of campaigns.sql.
WITH failed AS (
    UPDATE transmissions t SET status = 'failed', response = $3, due_at = NULL
    WHERE t.organisation_id = $1 AND t.status IN ('pending', 'pending_retry') AND t.id = ANY(ARRAY(
        SELECT id FROM transmissions
        WHERE coalesce(campaign_id, 0) = ANY($2::bigint[]) AND status IN ('pending', 'pending_retry')
          AND due_at IS NOT NULL AND NOT is_deleted
        UNION
        SELECT id FROM transmissions WHERE campaign_id = ANY($2::bigint[]) AND status = 'pending'))
    RETURNING campaign_id
)
SELECT count_figure(f.campaign_id, 'transmission failed', f.waiting)
FROM (SELECT campaign_id, count(*) AS waiting FROM failed GROUP BY campaign_id ORDER BY campaign_id) f
