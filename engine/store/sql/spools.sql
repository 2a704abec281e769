-- Attempts of transmissions, what their steps left, and the figures of all. $1 is the organisation; `seen by` is the user
-- who sees only what he made, null who sees everybody's.

-- name: spool
-- $3 seen by: whose the transmission is; of one that was deleted it is nobody's.
SELECT s.status FROM spools s
WHERE s.organisation_id = $1 AND s.id = $2
  AND ($3::bigint IS NULL OR EXISTS (SELECT FROM transmissions t
                                     WHERE t.id = s.transmission_id AND t.organisation_id = $1 AND t.created_by = $3))

-- name: spools_of_transmission
SELECT s.id AS spool_id, s.transmission_id, s.status, s.response, s.call_id::text AS call_id, s.amount,
       s.service_flag, s.account_id, substring(s.trunk FROM '^p([0-9]{1,18})$')::bigint AS provider_id,
       extract(epoch FROM s.time_spool)::bigint AS time_spool,
       extract(epoch FROM s.time_start)::bigint AS time_start,
       extract(epoch FROM s.time_connect)::bigint AS time_connect, extract(epoch FROM s.time_end)::bigint AS time_end
FROM spools s
WHERE s.organisation_id = $1 AND s.transmission_id = $2
ORDER BY s.id

-- name: last_spool
SELECT s.id FROM spools s WHERE s.organisation_id = $1 AND s.transmission_id = $2 ORDER BY s.id DESC LIMIT 1

-- name: results
SELECT r.id AS spool_result_id, r.spool_id, r.application_id, r.type, r.name, r.data,
       extract(epoch FROM r.created_at)::bigint AS date_created
FROM results r
WHERE r.organisation_id = $1 AND r.spool_id = $2 /* filters */
ORDER BY r.id

-- name: statistics
-- $2 whose rows, null everybody's; $3 made since, null always; $4 service bits, null all. A spool is its transmission's
-- maker's.
SELECT
    (SELECT row(count(*), count(*) FILTER (WHERE c.status = 'running')) FROM campaigns c
     WHERE c.organisation_id = $1 AND ($2::bigint IS NULL OR c.created_by = $2)
       AND ($3::timestamptz IS NULL OR c.created_at >= $3)) AS campaigns,
    (SELECT count(*) FROM contact_groups g
     WHERE g.organisation_id = $1 AND ($2::bigint IS NULL OR g.created_by = $2)
       AND ($3::timestamptz IS NULL OR g.created_at >= $3)) AS group_total,
    (SELECT count(*) FROM contacts c
     WHERE c.organisation_id = $1 AND ($2::bigint IS NULL OR c.created_by = $2)
       AND ($3::timestamptz IS NULL OR c.created_at >= $3)) AS contact_total,
    (SELECT row(count(*), count(*) FILTER (WHERE t.status = 'processing'),
                count(*) FILTER (WHERE t.direction = 'inbound'), count(*) FILTER (WHERE t.direction = 'outbound'))
     FROM transmissions t
     WHERE t.organisation_id = $1 AND ($2::bigint IS NULL OR t.created_by = $2)
       AND ($3::timestamptz IS NULL OR t.created_at >= $3)
       AND ($4::bigint IS NULL OR (t.service_flag & $4) <> 0)) AS transmissions,
    (SELECT row(count(*), count(*) FILTER (WHERE s.status = 'completed'),
                count(*) FILTER (WHERE s.status IN ('failed', 'invalid')))
     FROM spools s
     WHERE s.organisation_id = $1
       AND ($2::bigint IS NULL OR EXISTS (SELECT FROM transmissions t
                                          WHERE t.id = s.transmission_id AND t.organisation_id = $1 AND t.created_by = $2))
       AND ($3::timestamptz IS NULL OR s.time_spool >= $3)
       AND ($4::bigint IS NULL OR (s.service_flag & $4) <> 0)) AS spools,
    (SELECT count(*) FROM users u
     WHERE u.organisation_id = $1 AND ($2::bigint IS NULL OR u.id = $2 OR u.created_by = $2)
       AND ($3::timestamptz IS NULL OR u.created_at >= $3)) AS user_total,
    (SELECT count(*) FROM accounts a
     WHERE a.organisation_id = $1 AND ($2::bigint IS NULL OR coalesce(a.user_id, a.created_by) = $2)
       AND ($3::timestamptz IS NULL OR a.created_at >= $3)) AS account_total
