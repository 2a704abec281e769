-- What happened, in the order of transactions (docs/decisions/0010). $1 is the organisation.

-- name: position
-- Where a reader begins who wants what comes from now on.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xact, 0::bigint AS id

-- name: after
-- What follows ($2, $3). Nothing of a transaction that is not older than every one still running: one of those might
-- yet bring an earlier event.
SELECT xact::text AS xact, id, at, type, data
FROM events
WHERE organisation_id = $1 AND (xact, id) > ($2::text::xid8, $3)
  AND xact < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xact, id LIMIT $4
