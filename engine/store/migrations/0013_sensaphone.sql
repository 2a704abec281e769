-- The Sensaphone.net API: its sessions. And what a campaign becomes whose group is deleted.

-- A log-in, for 24 hours. It ends earlier when it is removed, and when the user is disabled, moved or gets another password.
CREATE TABLE sensaphone_sessions (
    digest          bytea PRIMARY KEY,                -- SHA-256 of the session; the session itself is never stored
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    user_id         bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    token_version   integer NOT NULL,                 -- the user's when he logged in
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL
);
CREATE INDEX sensaphone_sessions_user ON sensaphone_sessions (user_id);
CREATE INDEX sensaphone_sessions_organisation ON sensaphone_sessions (organisation_id);
CREATE INDEX sensaphone_sessions_expired ON sensaphone_sessions (expires_at);

-- As in 0011, and now of one that is broken as well: it never goes on, so nobody waits for it.
CREATE OR REPLACE FUNCTION end_with_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
    v_problem text;
BEGIN
    SELECT status, problem INTO v_status, v_problem FROM campaigns WHERE id = NEW.campaign_id;
    IF v_status IS NULL OR v_status IN ('completed', 'broken') THEN
        NEW.status := 'failed';
        NEW.response := CASE WHEN v_status IS NULL THEN 'campaign deleted' WHEN v_status = 'broken' THEN left(v_problem, 80)
            ELSE 'campaign stopped' END;
        NEW.due_at := NULL;
    END IF;
    RETURN NEW;
END $$;
