-- What waits for a time waits by one clock, the database's, and goes on when that clock was put back.

-- Who waits for another attempt, by when his last one began: a time to come proves that the clock was put back meanwhile
-- (campaign_claims.sql, `put_back`).
CREATE INDEX transmissions_ran ON transmissions (last_run)
    WHERE status IN ('pending', 'pending_retry') AND due_at IS NOT NULL AND NOT is_deleted;

-- As in 0010, but that flows say after how many seconds the next attempt may begin (`again_s`): the clock of the switch
-- may differ from the one that claims ask. `due_at` is what an engine of a former release says, until it has ended.
CREATE OR REPLACE FUNCTION save_program_rows(p_switch text, p_rows jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_rows ? 'begun' THEN
        PERFORM 1  -- whoever takes it first has it; the other one sees that in the next statement
        FROM jsonb_to_recordset(p_rows -> 'begun') AS b(call_id uuid)
        JOIN spools s ON s.call_id = b.call_id
        ORDER BY s.id
        FOR NO KEY UPDATE OF s;

        PERFORM 1
        FROM jsonb_to_recordset(p_rows -> 'begun') AS b(call_id uuid)
        JOIN spools s ON s.call_id = b.call_id
        WHERE s.claimed_switch IS DISTINCT FROM p_switch OR s.time_end IS NOT NULL;
        IF FOUND THEN
            RETURN false;
        END IF;
    END IF;
    IF p_rows ? 'spools' THEN
        -- one that has ended stays as it is, and is counted once
        WITH changed AS (
            UPDATE spools AS stored
            SET status = r.status, trunk = coalesce(r.trunk, stored.trunk), number = coalesce('+' || r.number, stored.number),
                time_start = coalesce(stored.time_start, r.started_at),
                time_connect = coalesce(stored.time_connect, r.connected_at),
                time_end = r.ended_at, disposition = r.disposition, cause = r.cause,
                response = coalesce(r.response, stored.response),
                amount = CASE WHEN r.ended_at IS NULL THEN 0 ELSE coalesce(ceil(extract(epoch FROM
                    r.ended_at - coalesce(stored.time_connect, r.connected_at)))::integer, 0) END
            FROM jsonb_to_recordset(p_rows -> 'spools') AS r(
                spool_id bigint, status text, trunk text, number text, started_at timestamptz, connected_at timestamptz,
                ended_at timestamptz, disposition text, cause integer, response text)
            WHERE stored.id = r.spool_id AND stored.time_end IS NULL
            RETURNING stored.campaign_id, stored.disposition
        )
        INSERT INTO campaign_figures AS f (campaign_id, switch, figure, count)
        SELECT c.campaign_id, p_switch, c.disposition, count(*)
        FROM changed c
        WHERE c.disposition <> 'withdrawn' AND EXISTS (SELECT FROM campaigns k WHERE k.id = c.campaign_id)
        GROUP BY c.campaign_id, c.disposition
        ORDER BY 1, 3
        ON CONFLICT (campaign_id, switch, figure) DO UPDATE SET count = f.count + EXCLUDED.count;
    END IF;
    IF p_rows ? 'transmissions' THEN
        WITH changed AS (
            UPDATE transmissions AS stored
            SET status = r.status, response = r.response,
                due_at = coalesce(clock_timestamp() + make_interval(secs => r.again_s), r.due_at),
                try_done = stored.try_done - CASE WHEN r.is_withdrawn THEN 1 ELSE 0 END
            FROM jsonb_to_recordset(p_rows -> 'transmissions') AS r(
                transmission_id bigint, status text, response text, again_s float8, due_at timestamptz,
                is_withdrawn boolean)
            WHERE stored.id = r.transmission_id AND stored.status = 'processing'
            RETURNING stored.campaign_id, stored.status
        )
        INSERT INTO campaign_figures AS f (campaign_id, switch, figure, count)
        SELECT c.campaign_id, p_switch, 'transmission ' || c.status, count(*)
        FROM changed c
        WHERE c.status IN ('completed', 'failed', 'invalid') AND EXISTS (SELECT FROM campaigns k WHERE k.id = c.campaign_id)
        GROUP BY c.campaign_id, c.status
        ORDER BY 1, 3
        ON CONFLICT (campaign_id, switch, figure) DO UPDATE SET count = f.count + EXCLUDED.count;
    END IF;
    IF p_rows ? 'results' THEN
        INSERT INTO results (organisation_id, spool_id, application_id, type, name, data, created_at)
        SELECT s.organisation_id, s.id, r.application_id, r.type, r.name, r.data, r.at
        FROM jsonb_to_recordset(p_rows -> 'results') AS r(
            ord integer, spool_id bigint, application_id integer, type text, name text, data text, at timestamptz)
        JOIN spools s ON s.id = r.spool_id
        ORDER BY r.ord;
    END IF;
    IF p_rows ? 'opt_outs' THEN
        INSERT INTO dnc_lists (organisation_id, name, is_opt_out)
        SELECT DISTINCT o.organisation_id, 'opt-out', true
        FROM jsonb_to_recordset(p_rows -> 'opt_outs') AS o(organisation_id bigint)
        WHERE EXISTS (SELECT FROM organisations WHERE id = o.organisation_id)
        ON CONFLICT (organisation_id) WHERE is_opt_out DO NOTHING;

        INSERT INTO dnc_numbers (list_id, number, added_at)
        SELECT l.id, '+' || o.number, min(o.at)
        FROM jsonb_to_recordset(p_rows -> 'opt_outs') AS o(organisation_id bigint, number text, at timestamptz)
        JOIN dnc_lists l ON l.organisation_id = o.organisation_id AND l.is_opt_out
        GROUP BY 1, 2
        ORDER BY 1, 2
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN true;
END $$;
