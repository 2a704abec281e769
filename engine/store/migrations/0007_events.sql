-- What happened, told once: triggers on rows write `events`, a trigger on events writes what webhooks must be sent. In the
-- transaction in which it happened, one statement for all rows of a statement. docs/events.md lists the types.
--
-- Each fact has one source:
--   call_log_entries, new           call.<type of the entry>
--   telephone_records, new          call.finished (a hotline's leg)
--   alarm_attempts, ended           call.finished (an alarm's leg)
--   alarms, new                     alarm.created
--   alarms, another state           alarm.ringing, alarm.acknowledged, alarm.failed, alarm.cancelled, alarm.expired
--   alarms, finished                alarm.finished
--   alarm_recipients, another state recipient.acknowledged, recipient.declined
--   alarm_notes, new                recipient.<type> if it is about a recipient, else alarm.<type>; not those types that
--                                   a row above tells
--   hotlines                        hotline.created, hotline.deleted, hotline.<status> when it becomes another one,
--                                   hotline.changed for every PUT, also of its agents alone
-- `data` is JSON for clients: camelCase names, ids, numbers with a plus. Never a pin.

CREATE FUNCTION json_time(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- Of every statement that wrote events. Without webhooks it costs one look at an empty table.
CREATE FUNCTION pass_on_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_notify('ringward_event', '');
    IF EXISTS (SELECT FROM webhooks WHERE is_active) THEN
        INSERT INTO webhook_deliveries (organisation_id, webhook_id, message_id, type, body)
        SELECT e.organisation_id, w.id, 'msg_' || e.id, e.type,
            json_build_object('type', e.type, 'timestamp', json_time(e.at), 'data', e.data)::text
        FROM added e
        JOIN webhooks w ON w.organisation_id = e.organisation_id AND w.is_active AND e.type = ANY(w.types)
        ORDER BY e.id, w.id
        FOR KEY SHARE OF w;  -- one that is deleted just now: by the time the reference is checked it would be too late
        IF FOUND THEN
            PERFORM pg_notify('ringward_webhook', '');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER events_added AFTER INSERT ON events REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION pass_on_events();

-- Hotline calls ------------------------------------------------------------------------------------------------------

CREATE FUNCTION tell_call_log_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT e.organisation_id, e.at, 'call.' || e.type, json_build_object(
        'hotlineID', l.hotline_id, 'callLogID', e.call_log_id, 'userID', e.user_id, 'phoneID', e.phone_id,
        'phone', '+' || nullif(e.phone, ''), 'message', e.message)
    FROM added e
    JOIN call_logs l ON l.id = e.call_log_id
    ORDER BY e.id;
    RETURN NULL;
END $$;
CREATE TRIGGER call_log_entries_added AFTER INSERT ON call_log_entries REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_call_log_entries();

CREATE FUNCTION tell_telephone_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT r.organisation_id, r.end_time, 'call.finished', json_build_object(
        'legID', r.leg, 'direction', r.direction, 'hotlineID', r.hotline_id, 'callLogID', r.call_log_id,
        'from', '+' || nullif(r.from_number, ''), 'to', '+' || nullif(r.to_number, ''), 'status', r.status,
        'cause', r.cause, 'placedAt', json_time(r.start_time), 'answeredAt', json_time(r.answer_time),
        'endedAt', json_time(r.end_time))
    FROM added r
    ORDER BY r.id;
    RETURN NULL;
END $$;
CREATE TRIGGER telephone_records_added AFTER INSERT ON telephone_records REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_telephone_records();

-- Alarms -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION told_attempt(t alarm_attempts) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'legID', t.leg, 'direction', t.direction, 'alarmID', t.alarm_id, 'recipientID', t.recipient_id,
        'phone', t.phone, 'disposition', t.disposition, 'cause', t.cause, 'placedAt', json_time(t.placed_at),
        'answeredAt', json_time(t.answered_at), 'endedAt', json_time(t.ended_at))
$$;

CREATE FUNCTION tell_new_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT t.organisation_id, t.ended_at, 'call.finished', told_attempt(t)
    FROM added t
    WHERE t.ended_at IS NOT NULL
    ORDER BY t.ended_at, t.leg;
    RETURN NULL;
END $$;
CREATE TRIGGER alarm_attempts_added AFTER INSERT ON alarm_attempts REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_new_attempts();

CREATE FUNCTION tell_ended_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT t.organisation_id, t.ended_at, 'call.finished', told_attempt(t)
    FROM changed t
    JOIN former f ON f.leg = t.leg
    WHERE f.ended_at IS NULL AND t.ended_at IS NOT NULL
    ORDER BY t.ended_at, t.leg;
    RETURN NULL;
END $$;
CREATE TRIGGER alarm_attempts_changed AFTER UPDATE ON alarm_attempts
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_ended_attempts();

-- `acknowledged`: how many have, at that moment.
CREATE FUNCTION told_alarm(a alarms) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'alarmID', a.id, 'state', a.state, 'needed', a.needed, 'acknowledged',
        (SELECT count(*) FROM alarm_recipients r WHERE r.alarm_id = a.id AND r.state = 'acknowledged'))
$$;

CREATE FUNCTION tell_new_alarms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT a.organisation_id, a.created_at, 'alarm.created', told_alarm(a)
    FROM added a
    ORDER BY a.id;
    RETURN NULL;
END $$;
CREATE TRIGGER alarms_added AFTER INSERT ON alarms REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_new_alarms();

CREATE FUNCTION tell_changed_alarms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT a.organisation_id, told.at, told.type, told_alarm(a)
    FROM changed a
    JOIN former f ON f.id = a.id
    CROSS JOIN LATERAL (VALUES
        (1, f.state <> a.state, coalesce(a.decided_at, clock_timestamp()), 'alarm.' || a.state),
        (2, f.finished_at IS NULL AND a.finished_at IS NOT NULL, a.finished_at, 'alarm.finished')
    ) AS told(ord, is_new, at, type)
    WHERE told.is_new
    ORDER BY a.id, told.ord;
    RETURN NULL;
END $$;
CREATE TRIGGER alarms_changed AFTER UPDATE ON alarms
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_alarms();

CREATE FUNCTION tell_changed_recipients() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT r.organisation_id, coalesce(r.acknowledged_at, clock_timestamp()), 'recipient.' || r.state,
        json_build_object(
            'alarmID', r.alarm_id, 'recipientID', r.id, 'userID', r.user_id, 'contactID', r.contact_id, 'role', r.role,
            'state', r.state, 'acknowledgedAt', json_time(r.acknowledged_at))
    FROM changed r
    JOIN former f ON f.id = r.id
    WHERE f.state <> r.state AND r.state IN ('acknowledged', 'declined')
    ORDER BY r.id;
    RETURN NULL;
END $$;
CREATE TRIGGER alarm_recipients_changed AFTER UPDATE ON alarm_recipients
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_recipients();

CREATE FUNCTION tell_notes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT n.organisation_id, n.at,
        CASE WHEN n.recipient_id IS NULL THEN 'alarm.' ELSE 'recipient.' END || n.type,
        json_build_object(
            'alarmID', n.alarm_id, 'recipientID', n.recipient_id, 'legID', n.leg, 'phone', n.phone, 'message', n.message)
    FROM added n
    WHERE CASE WHEN n.recipient_id IS NULL
        THEN n.type NOT IN ('created', 'ringing', 'acknowledged', 'failed', 'cancelled', 'expired', 'finished')
        ELSE n.type NOT IN ('acknowledged', 'declined') END
    ORDER BY n.id;
    RETURN NULL;
END $$;
CREATE TRIGGER alarm_notes_added AFTER INSERT ON alarm_notes REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_notes();

-- Hotlines -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION told_hotline(h hotlines) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'hotlineID', h.id, 'name', h.name, 'number', h.number, 'status', h.status, 'isActive', h.is_active)
$$;

CREATE FUNCTION tell_new_hotlines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT h.organisation_id, h.created_at, 'hotline.created', told_hotline(h)
    FROM added h
    ORDER BY h.id;
    RETURN NULL;
END $$;
CREATE TRIGGER hotlines_added AFTER INSERT ON hotlines REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_new_hotlines();

CREATE FUNCTION tell_changed_hotlines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT h.organisation_id, clock_timestamp(), told.type, told_hotline(h)
    FROM changed h
    JOIN former f ON f.id = h.id
    CROSS JOIN LATERAL (VALUES
        (1, h.deleted_at IS NULL AND (h.name, h.is_active, h.channels_inbound, h.channels_outbound, h.tts_inbound,
            h.tts_outbound) IS DISTINCT FROM (f.name, f.is_active, f.channels_inbound, f.channels_outbound,
            f.tts_inbound, f.tts_outbound), 'hotline.changed'),
        (2, h.deleted_at IS NULL AND h.status <> f.status, 'hotline.' || h.status),
        (3, h.deleted_at IS NOT NULL AND f.deleted_at IS NULL, 'hotline.deleted')
    ) AS told(ord, is_new, type)
    WHERE told.is_new
    ORDER BY h.id, told.ord;
    RETURN NULL;
END $$;
CREATE TRIGGER hotlines_updated AFTER UPDATE ON hotlines
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_hotlines();

-- A hotline whose agents alone changed: not one that this transaction has told something of.
CREATE FUNCTION tell_changed_agents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT h.organisation_id, clock_timestamp(), 'hotline.changed', told_hotline(h)
    FROM hotlines h
    WHERE h.id IN (SELECT hotline_id FROM touched) AND h.deleted_at IS NULL
      AND h.id NOT IN (  -- one look for all of them, however many they are
        SELECT (e.data ->> 'hotlineID')::bigint FROM events e
        WHERE e.xact = pg_current_xact_id() AND e.type LIKE 'hotline.%' AND e.organisation_id = ANY (ARRAY(
            SELECT organisation_id FROM hotlines WHERE id IN (SELECT hotline_id FROM touched))))
    ORDER BY h.id;
    RETURN NULL;
END $$;
CREATE TRIGGER hotline_agents_added AFTER INSERT ON hotline_agents REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_agents();
CREATE TRIGGER hotline_agents_removed AFTER DELETE ON hotline_agents REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_agents();
