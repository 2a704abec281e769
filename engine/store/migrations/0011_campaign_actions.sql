-- What people do with campaigns and transmissions, and what is told of it: the rows of a send, events, figures of rows that
-- an API removes.

-- POST /transmissions/{id}/send and a schedule that is due: the one way to queue a single attempt. The id of the spool;
-- null: there is no such transmission, it is processing, completed or invalid, or its program is gone. Whose it is the
-- caller has looked up.
CREATE FUNCTION send_transmission(p_transmission_id bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    sent transmissions;
    v_spool_id bigint;
BEGIN
    SELECT * INTO sent FROM transmissions WHERE id = p_transmission_id FOR NO KEY UPDATE;
    IF NOT FOUND OR sent.is_deleted OR sent.status IN ('processing', 'completed', 'invalid') THEN
        RETURN NULL;
    END IF;
    PERFORM FROM programs WHERE id = sent.program_id FOR KEY SHARE;  -- it is not removed meanwhile
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF sent.status = 'failed' AND sent.campaign_id IS NOT NULL THEN
        PERFORM count_figure(sent.campaign_id, 'transmission failed', -1);  -- it is not over any more
    END IF;
    UPDATE transmissions SET status = 'processing', response = '', try_done = try_done + 1, last_run = clock_timestamp(),
        due_at = NULL
    WHERE id = p_transmission_id;
    INSERT INTO spools (organisation_id, transmission_id, campaign_id, account_id, service_flag, is_sent, number)
    SELECT sent.organisation_id, sent.id, sent.campaign_id, sent.account_id, sent.service_flag, true,
        coalesce((SELECT c.number FROM contacts c WHERE c.id = sent.contact_id), '')
    RETURNING id INTO v_spool_id;
    RETURN v_spool_id;
END $$;

-- Figures do not refer to their campaign: a saver neither waits for one that is being deleted, nor fails because it is gone.
-- What it counts for one that just went stays behind.
ALTER TABLE campaign_figures DROP CONSTRAINT campaign_figures_campaign_id_fkey;

-- What an API changes, beside the rows of the switches (migration 0010). Nothing for a campaign that is gone.
CREATE FUNCTION count_figure(p_campaign_id bigint, p_figure text, p_count bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO campaign_figures AS f (campaign_id, switch, figure, count)
    SELECT c.id, '', p_figure, p_count FROM campaigns c WHERE c.id = p_campaign_id AND p_count <> 0
    ON CONFLICT (campaign_id, switch, figure) DO UPDATE SET count = f.count + EXCLUDED.count
$$;

-- A campaign counts what it has made; of these, what was removed before it was over is `transmission removed`.
CREATE FUNCTION count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count_figure(campaign_id, 'transmission removed', count(*)) FROM gone
    WHERE campaign_id IS NOT NULL AND status IN ('pending', 'pending_retry', 'initializing', 'done', 'processing')
    GROUP BY campaign_id ORDER BY campaign_id;
    RETURN NULL;
END $$;
CREATE TRIGGER transmissions_removed AFTER DELETE ON transmissions REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_removed();

-- An attempt that lived when its campaign was stopped for good, or deleted, has none after it; one that was withdrawn
-- then is not made any more.
CREATE FUNCTION end_with_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_status text := (SELECT status FROM campaigns WHERE id = NEW.campaign_id);
BEGIN
    IF v_status IS NULL OR v_status = 'completed' THEN
        NEW.status := 'failed';
        NEW.response := CASE WHEN v_status IS NULL THEN 'campaign deleted' ELSE 'campaign stopped' END;
        NEW.due_at := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transmissions_wait BEFORE UPDATE OF status ON transmissions FOR EACH ROW
    WHEN (NEW.campaign_id IS NOT NULL AND NEW.status IN ('pending', 'pending_retry'))
    EXECUTE FUNCTION end_with_campaign();

-- Events, as in 0007:
--   campaigns                       campaign.created, campaign.<status> when it becomes another one, campaign.deleted
--   transmissions of a campaign     transmission.finished when it becomes completed, failed or invalid
--   schedules                       schedule.missed when it expires

CREATE FUNCTION told_campaign(c campaigns) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'campaignID', c.id, 'name', c.name, 'status', c.status, 'problem', c.problem, 'contactTotal', c.contact_total)
$$;

CREATE FUNCTION tell_new_campaigns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT c.organisation_id, c.created_at, 'campaign.created', told_campaign(c)
    FROM added c
    ORDER BY c.id;
    RETURN NULL;
END $$;
CREATE TRIGGER campaigns_added AFTER INSERT ON campaigns REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_new_campaigns();

CREATE FUNCTION tell_changed_campaigns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT c.organisation_id, clock_timestamp(), 'campaign.' || c.status, told_campaign(c)
    FROM changed c
    JOIN former f ON f.id = c.id
    WHERE f.status <> c.status
    ORDER BY c.id;
    RETURN NULL;
END $$;
CREATE TRIGGER campaigns_updated AFTER UPDATE ON campaigns
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_campaigns();

CREATE FUNCTION tell_gone_campaigns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT c.organisation_id, clock_timestamp(), 'campaign.deleted', told_campaign(c)
    FROM gone c
    ORDER BY c.id;

    DELETE FROM campaign_figures WHERE campaign_id IN (SELECT id FROM gone);
    RETURN NULL;
END $$;
CREATE TRIGGER campaigns_gone AFTER DELETE ON campaigns REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tell_gone_campaigns();

CREATE FUNCTION told_transmission(t transmissions) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'campaignID', t.campaign_id, 'transmissionID', t.id, 'contactID', t.contact_id, 'programID', t.program_id,
        'status', t.status, 'response', t.response, 'tries', t.try_done)
$$;

CREATE FUNCTION tell_new_transmissions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT t.organisation_id, clock_timestamp(), 'transmission.finished', told_transmission(t)
    FROM added t
    WHERE t.campaign_id IS NOT NULL AND t.status IN ('completed', 'failed', 'invalid')
    ORDER BY t.id;
    RETURN NULL;
END $$;
CREATE TRIGGER transmissions_added AFTER INSERT ON transmissions REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_new_transmissions();

CREATE FUNCTION tell_changed_transmissions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT t.organisation_id, clock_timestamp(), 'transmission.finished', told_transmission(t)
    FROM changed t
    JOIN former f ON f.id = t.id
    WHERE t.campaign_id IS NOT NULL AND t.status IN ('completed', 'failed', 'invalid') AND f.status <> t.status
    ORDER BY t.id;
    RETURN NULL;
END $$;
CREATE TRIGGER transmissions_changed AFTER UPDATE ON transmissions
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_changed_transmissions();

CREATE FUNCTION tell_missed_schedules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (organisation_id, at, type, data)
    SELECT s.organisation_id, clock_timestamp(), 'schedule.missed', json_build_object(
        'scheduleID', s.id, CASE s.type WHEN 'campaign' THEN 'campaignID' ELSE 'transmissionID' END, s.data,
        'action', s.action, 'problem', s.problem)
    FROM changed s
    JOIN former f ON f.id = s.id
    WHERE s.problem LIKE 'missed%' AND s.last_run IS DISTINCT FROM f.last_run
    ORDER BY s.id;
    RETURN NULL;
END $$;
CREATE TRIGGER schedules_changed AFTER UPDATE ON schedules
    REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tell_missed_schedules();
