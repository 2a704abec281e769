-- Caps of a minute, an hour and a day go by one clock that nobody puts forward or back: the database's, less what it has
-- jumped. When a call was placed is stored by this clock as well (`counted_at`), beside the times of the switch that people
-- read: the clocks of two machines may differ, and any of them may be set.

CREATE TABLE steady_clock (                           -- one row, none before the first jump
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    jumped  interval NOT NULL DEFAULT '0'             -- forward; back is less than none
);

-- STABLE, so that it bounds an index scan.
CREATE FUNCTION steady_now() RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN statement_timestamp() - coalesce((SELECT jumped FROM steady_clock), '0');
END $$;

ALTER TABLE spools ADD COLUMN counted_at timestamptz;             -- when it was dialled, by the steady clock
UPDATE spools SET counted_at = time_start WHERE time_start > now() - interval '1 day';
CREATE INDEX spools_counted ON spools (organisation_id, counted_at) WHERE counted_at IS NOT NULL;
DROP INDEX spools_dialled;

ALTER TABLE alarm_attempts ADD COLUMN counted_at timestamptz;
UPDATE alarm_attempts SET counted_at = placed_at WHERE placed_at > now() - interval '1 day';
ALTER TABLE alarm_attempts ALTER counted_at SET DEFAULT steady_now();
CREATE INDEX alarm_attempts_counted ON alarm_attempts (counted_at);
CREATE INDEX alarm_attempts_counted_of ON alarm_attempts (organisation_id, counted_at);
DROP INDEX alarm_attempts_placed, alarm_attempts_organisation;

ALTER TABLE pin_failures ADD COLUMN counted_at timestamptz;
UPDATE pin_failures SET counted_at = at WHERE at > now() - interval '1 day';
ALTER TABLE pin_failures ALTER counted_at SET DEFAULT steady_now();
CREATE INDEX pin_failures_counted ON pin_failures (counted_at);

-- What time it is. $1: what time it must be by whoever looked before, and measured since then how long that is ago (null: it
-- looks for the first time). He is never ahead (store/steady.py), so that what he is told errs to the side of the caps. If the
-- clock says something else it was put forward or back: of several who see that the first puts it right. What was counted
-- between the jump and now is put right with it; put back, that is what was counted of late by the clock as it is, and perhaps
-- some calls of as long ago: rather a few too many than too few.
CREATE FUNCTION keep_steady(p_expected timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_jumped interval;
    v_ahead interval;
    v_since timestamptz;
    v_until timestamptz;
BEGIN
    IF p_expected IS NULL OR steady_now() - p_expected BETWEEN interval '-10 s' AND interval '10 s' THEN
        RETURN steady_now();
    END IF;
    INSERT INTO steady_clock DEFAULT VALUES ON CONFLICT DO NOTHING;
    SELECT jumped INTO v_jumped FROM steady_clock FOR NO KEY UPDATE;
    v_ahead := statement_timestamp() - v_jumped - p_expected;
    IF v_ahead BETWEEN interval '-10 s' AND interval '10 s' THEN
        RETURN statement_timestamp() - v_jumped;
    END IF;
    UPDATE steady_clock SET jumped = jumped + v_ahead;
    v_until := p_expected + v_ahead;
    v_since := CASE WHEN v_ahead > interval '0' THEN p_expected ELSE v_until - interval '10 s' END;
    UPDATE alarm_attempts SET counted_at = counted_at - v_ahead WHERE counted_at > v_since AND counted_at <= v_until;
    UPDATE pin_failures SET counted_at = counted_at - v_ahead WHERE counted_at > v_since AND counted_at <= v_until;
    UPDATE spools SET counted_at = counted_at - v_ahead
    WHERE organisation_id = ANY(ARRAY(SELECT id FROM organisations)) AND counted_at > v_since AND counted_at <= v_until;
    RETURN p_expected;
END $$;

-- As in 0014, but that a spool is counted by the steady clock when it is dialled. (Attempts of alarms and wrong pins are written
-- when they are, so their columns have a default.)
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
                counted_at = coalesce(stored.counted_at, CASE WHEN r.started_at IS NOT NULL THEN steady_now() END),
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
