-- One call saves everything that a batch of events brought: calls and their parts, hotline rows, alarm rows. As in 0002:
-- plpgsql for cached plans, false when another engine acts in our place, the advisory lock held to the end.
--
-- What few batches bring is one argument each, null when there is none: hotline batches pay nothing for alarms.
-- p_parts: [{call_id, part, state}]
-- p_alarm: {begun: [{call_id}], recipients: […], attempts: […], notes: […], states: […], pins: […], ended: [{call_id, at}]};
--          an end without `at` is that of a call that failed: its alarm is over, its parts stay for the operator;
--          one row per recipient and per leg at most (engine/store/alarm_rows.py merges them), the others in order.

-- Rows of a call get the id of its log by a join with the logs in the same statement: the check of the reference found
-- nothing in all its time and cost a tenth of a save. And records are kept longer or shorter than logs, as the settings say.
ALTER TABLE call_log_entries DROP CONSTRAINT call_log_entries_call_log_id_fkey;
ALTER TABLE telephone_records DROP CONSTRAINT telephone_records_call_log_id_fkey;

DROP FUNCTION save_batch(text, bigint, jsonb, text, jsonb, jsonb, jsonb, jsonb);

-- The alarm rows of a batch. False: a call that begins here is another engine's, or its alarm is over.
CREATE FUNCTION save_alarm_rows(p_switch text, p_alarm jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_state record;
BEGIN
    IF p_alarm ? 'begun' THEN
        PERFORM 1  -- whoever saves first begins it; the other one sees that in the next statement
        FROM jsonb_to_recordset(p_alarm -> 'begun') AS b(call_id uuid)
        JOIN alarms a ON a.call_id = b.call_id
        ORDER BY a.id
        FOR NO KEY UPDATE OF a;

        PERFORM 1
        FROM jsonb_to_recordset(p_alarm -> 'begun') AS b(call_id uuid)
        JOIN alarms a ON a.call_id = b.call_id
        LEFT JOIN calls c ON c.id = a.call_id
        WHERE a.claimed_switch <> p_switch OR c.switch <> p_switch OR a.finished_at IS NOT NULL;
        IF FOUND THEN
            RETURN false;
        END IF;
    END IF;
    IF p_alarm ? 'recipients' THEN
        UPDATE alarm_recipients AS stored
        SET state = r.state, acknowledged_at = coalesce(r.acknowledged_at, stored.acknowledged_at)
        FROM jsonb_to_recordset(p_alarm -> 'recipients') AS r(
            call_id uuid, recipient_id bigint, state text, acknowledged_at timestamptz)
        JOIN alarms a ON a.call_id = r.call_id
        WHERE stored.id = r.recipient_id AND stored.alarm_id = a.id;
    END IF;
    IF p_alarm ? 'attempts' THEN
        INSERT INTO alarm_attempts AS stored (leg, organisation_id, alarm_id, recipient_id, direction, phone, trunk,
            placed_at, answered_at, ended_at, disposition, cause)
        SELECT t.leg, a.organisation_id, a.id, t.recipient_id, t.direction, '+' || t.number, t.trunk,
            t.placed_at, t.answered_at, t.ended_at, t.disposition, t.cause
        FROM jsonb_to_recordset(p_alarm -> 'attempts') AS t(
            ord integer, call_id uuid, leg text, recipient_id bigint, number text, trunk text, direction text,
            placed_at timestamptz, answered_at timestamptz, ended_at timestamptz, disposition text, cause integer)
        JOIN alarms a ON a.call_id = t.call_id
        ORDER BY t.ord
        ON CONFLICT (leg) DO UPDATE
            SET answered_at = coalesce(EXCLUDED.answered_at, stored.answered_at),
                ended_at = coalesce(EXCLUDED.ended_at, stored.ended_at),
                disposition = coalesce(EXCLUDED.disposition, stored.disposition),
                cause = coalesce(EXCLUDED.cause, stored.cause);
    END IF;
    IF p_alarm ? 'notes' THEN
        INSERT INTO alarm_notes (organisation_id, alarm_id, at, type, recipient_id, leg, phone, message)
        SELECT a.organisation_id, a.id, n.at, n.type, n.recipient_id, n.leg, '+' || n.number, n.message
        FROM jsonb_to_recordset(p_alarm -> 'notes') AS n(
            ord integer, call_id uuid, at timestamptz, type text, recipient_id bigint, leg text, number text,
            message text)
        JOIN alarms a ON a.call_id = n.call_id
        ORDER BY n.ord;
    END IF;
    IF p_alarm ? 'states' THEN  -- two in an alarm's life: one by one, so that each of them is told
        FOR v_state IN
            SELECT s.call_id, s.at, s.state
            FROM jsonb_to_recordset(p_alarm -> 'states') AS s(ord integer, call_id uuid, at timestamptz, state text)
            ORDER BY s.ord
        LOOP
            UPDATE alarms SET state = v_state.state,
                decided_at = CASE WHEN v_state.state NOT IN ('queued', 'ringing')
                    THEN coalesce(decided_at, v_state.at) ELSE decided_at END
            WHERE call_id = v_state.call_id;
        END LOOP;
    END IF;
    IF p_alarm ? 'pins' THEN
        INSERT INTO pin_failures (number, at)
        SELECT '+' || p.number, p.at
        FROM jsonb_to_recordset(p_alarm -> 'pins') AS p(number text, at timestamptz);
    END IF;
    IF p_alarm ? 'ended' THEN
        UPDATE alarms SET finished_at = coalesce(alarms.finished_at, e.at, clock_timestamp())
        FROM jsonb_to_recordset(p_alarm -> 'ended') AS e(call_id uuid, at timestamptz)
        WHERE alarms.call_id = e.call_id;

        DELETE FROM call_parts USING jsonb_to_recordset(p_alarm -> 'ended') AS e(call_id uuid, at timestamptz)
        WHERE call_parts.call_id = e.call_id AND e.at IS NOT NULL;
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION save_batch(
    p_switch text, p_fencing bigint, p_state jsonb, p_metrics text,
    p_calls jsonb, p_parts jsonb, p_entries jsonb, p_records jsonb, p_alarm jsonb, p_ended jsonb
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
