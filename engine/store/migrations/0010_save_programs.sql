-- One call saves everything that a batch of events brought, now also the rows of programs' calls. As in 0005.
--
-- p_program: {begun: [{call_id}], spools: […], transmissions: […], results: […], opt_outs: […]}; one row per
--            spool and per transmission at most (engine/store/program_rows.py merges them), the others in order.

DROP FUNCTION save_batch(text, bigint, jsonb, text, jsonb, jsonb, jsonb, jsonb, jsonb, jsonb);

-- False: a spool whose call begins here is another engine's now, or is over.
CREATE FUNCTION save_program_rows(p_switch text, p_rows jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
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
            SET status = r.status, response = r.response, due_at = r.due_at,
                try_done = stored.try_done - CASE WHEN r.is_withdrawn THEN 1 ELSE 0 END
            FROM jsonb_to_recordset(p_rows -> 'transmissions') AS r(
                transmission_id bigint, status text, response text, due_at timestamptz, is_withdrawn boolean)
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

CREATE FUNCTION save_batch(
    p_switch text, p_fencing bigint, p_state jsonb, p_metrics text,
    p_calls jsonb, p_parts jsonb, p_entries jsonb, p_records jsonb, p_alarm jsonb, p_program jsonb, p_ended jsonb
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(fence_key(p_switch));
    IF p_state IS NOT NULL THEN
        UPDATE engines SET beat_at = clock_timestamp(), state = p_state, metrics = p_metrics
        WHERE switch = p_switch AND fencing = p_fencing;
    ELSE
        PERFORM 1 FROM engines WHERE switch = p_switch AND fencing = p_fencing;
    END IF;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_alarm IS NOT NULL THEN
        IF NOT save_alarm_rows(p_switch, p_alarm) THEN
            RETURN false;
        END IF;
    END IF;
    IF p_program IS NOT NULL THEN
        IF NOT save_program_rows(p_switch, p_program) THEN
            RETURN false;
        END IF;
    END IF;
    IF p_calls IS NOT NULL THEN
        INSERT INTO call_logs (call_id, organisation_id, hotline_id, caller_leg, start_time)
        SELECT c.id, c.organisation_id, c.hotline_id, c.caller_leg, c.started_at
        FROM jsonb_to_recordset(p_calls) AS c(
            id uuid, organisation_id bigint, hotline_id bigint, caller_leg text, started_at timestamptz, is_new boolean)
        WHERE c.is_new AND c.hotline_id IS NOT NULL
        ON CONFLICT (call_id) DO NOTHING;

        INSERT INTO calls AS stored
            (id, switch, organisation_id, hotline_id, flow, version, phase, state, outbox, started_at)
        SELECT c.id, p_switch, c.organisation_id, c.hotline_id, c.flow, c.version, c.phase, c.state, c.outbox,
            c.started_at
        FROM jsonb_to_recordset(p_calls) AS c(
            id uuid, organisation_id bigint, hotline_id bigint, flow text, version integer, phase text,
            state jsonb, outbox jsonb, started_at timestamptz)
        ON CONFLICT (id) DO UPDATE
            SET phase = EXCLUDED.phase, state = EXCLUDED.state, outbox = EXCLUDED.outbox,
                flow = EXCLUDED.flow, version = EXCLUDED.version;
    END IF;
    IF p_parts IS NOT NULL THEN
        INSERT INTO call_parts (call_id, part, state)
        SELECT p.call_id, p.part, p.state
        FROM jsonb_to_recordset(p_parts) AS p(call_id uuid, part integer, state jsonb)
        ON CONFLICT (call_id, part) DO UPDATE SET state = EXCLUDED.state;
    END IF;
    IF p_entries IS NOT NULL THEN
        INSERT INTO call_log_entries (call_log_id, organisation_id, at, type, user_id, phone_id, phone, message)
        SELECT l.id, l.organisation_id, e.at, e.type, e.user_id, e.phone_id, e.phone, e.message
        FROM jsonb_to_recordset(p_entries) AS e(
            ord integer, call_id uuid, at timestamptz, type text, user_id bigint, phone_id bigint, phone text,
            message text)
        JOIN call_logs l ON l.call_id = e.call_id
        ORDER BY e.ord;
        PERFORM pg_notify('ringward_call', '');
    END IF;
    IF p_records IS NOT NULL THEN
        INSERT INTO telephone_records (leg, call_log_id, organisation_id, hotline_id, direction, from_number,
            to_number, start_time, answer_time, end_time, status, cause, fallback)
        SELECT r.leg, l.id, l.organisation_id, l.hotline_id, r.direction, r.from_number, r.to_number, r.start,
            r.answer, r."end", r.status, r.cause, r.fallback
        FROM jsonb_to_recordset(p_records) AS r(
            ord integer, call_id uuid, leg text, direction text, from_number text, to_number text,
            start timestamptz, answer timestamptz, "end" timestamptz, status text, cause integer, fallback boolean)
        JOIN call_logs l ON l.call_id = r.call_id
        ORDER BY r.ord
        ON CONFLICT (call_log_id, leg) DO NOTHING;
    END IF;
    IF p_ended IS NOT NULL THEN
        UPDATE call_logs SET end_time = f.at, outcome = f.outcome
        FROM jsonb_to_recordset(p_ended) AS f(call_id uuid, at timestamptz, outcome text)
        WHERE call_logs.call_id = f.call_id;

        DELETE FROM calls USING jsonb_to_recordset(p_ended) AS f(call_id uuid) WHERE calls.id = f.call_id;
    END IF;
    RETURN true;
END $$;
