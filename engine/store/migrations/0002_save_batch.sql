-- One call saves everything that a batch of events brought. plpgsql, so that its plans are cached: the same statements in
-- LANGUAGE sql were planned at every call. Returns false when another engine owns the switch now: nothing was saved.
--
-- The shared advisory lock is held to the end of this (single-statement) transaction; take_over_switch takes it
-- exclusively, so no save of an engine that was replaced can commit after its successor began.

CREATE FUNCTION fence_key(p_switch text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT hashtextextended('ringward fence ' || p_switch, 0) $$;

CREATE FUNCTION owner_key(p_switch text) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT hashtextextended('ringward owner ' || p_switch, 0) $$;

CREATE FUNCTION take_over_switch(p_switch text, p_engine uuid, p_pid integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_fencing bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(fence_key(p_switch));
    INSERT INTO engines AS e (switch, engine_id, fencing, beat_at, pid)
    VALUES (p_switch, p_engine, 1, now(), p_pid)
    ON CONFLICT (switch) DO UPDATE
        SET engine_id = EXCLUDED.engine_id, fencing = e.fencing + 1, beat_at = now(), pid = EXCLUDED.pid, state = '{}'
    RETURNING fencing INTO v_fencing;
    RETURN v_fencing;
END $$;

CREATE FUNCTION save_batch(
    p_switch text, p_fencing bigint, p_state jsonb, p_metrics text,
    p_calls jsonb, p_entries jsonb, p_records jsonb, p_ended jsonb
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
    IF p_calls IS NOT NULL THEN
        INSERT INTO call_logs (call_id, organisation_id, hotline_id, caller_leg, start_time)
        SELECT c.id, c.organisation_id, c.hotline_id, c.caller_leg, c.started_at
        FROM jsonb_to_recordset(p_calls) AS c(
            id uuid, organisation_id bigint, hotline_id bigint, caller_leg text, started_at timestamptz, is_new boolean)
        WHERE c.is_new
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
