-- Programs and what they are run for: a transmission is one contact to be reached, a spool one attempt at it, a result what
-- a step of the program left. A campaign makes transmissions of a group's members, just before they are due.

CREATE TABLE programs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    name            text NOT NULL,
    type            text NOT NULL CHECK (type IN (
        'voicemessage', 'voicetts', 'ivr', 'forward', 'agent',                 -- run by the engine
        'sendfax', 'receivefax', 'faxtoemail', 'emailtofax', 'sendemail', 'receiveemail', 'sendsms', 'receivesms')),
    parent_id       bigint,
    data            jsonb NOT NULL DEFAULT '{}',      -- the type's own fields: recording_id, text, delay, ivr_scheme …
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX programs_organisation ON programs (organisation_id, id);

CREATE TABLE account_programs (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    program_id bigint NOT NULL REFERENCES programs ON DELETE CASCADE,
    PRIMARY KEY (account_id, program_id)
);
CREATE INDEX account_programs_program ON account_programs (program_id);

CREATE TABLE campaigns (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    name            text NOT NULL DEFAULT '',
    program_id      bigint NOT NULL,
    group_id        bigint NOT NULL,
    account_id      bigint,
    source          text NOT NULL DEFAULT '',
    cpm             integer NOT NULL DEFAULT 2 CHECK (cpm > 0),          -- calls a minute
    try_allowed     integer NOT NULL DEFAULT 1 CHECK (try_allowed > 0),
    calls_per_second real CHECK (calls_per_second > 0),                  -- null: cpm alone
    channels        integer CHECK (channels > 0),                        -- calls at once; null: what the trunks have
    call_window     jsonb,                            -- {"from", "to", "weekdays", "country", "holidays"}; null: always
    retry           jsonb NOT NULL DEFAULT '{}',      -- {"busyS", "noAnswerS", "failedS"}; missing: the defaults
    dnc_list_ids    bigint[] NOT NULL DEFAULT '{}',
    opt_out_key     text NOT NULL DEFAULT '',         -- '': nobody can opt out by a key
    caller_ids      text[] NOT NULL DEFAULT '{}',     -- E.164 with a plus, in turn; none: the organisation's number
    status          text NOT NULL DEFAULT 'new' CHECK (status IN (
        'new',         -- made; never started
        'ready',       -- started, its first call is still to come
        'running',
        'paused',      -- stop of ICTCore: nobody is called, a start goes on
        'completed',   -- everybody was dealt with, or it was stopped for good
        'broken')),    -- it cannot go on: its program is gone or cannot be read; `problem` says why
    problem         text NOT NULL DEFAULT '',
    contact_total   bigint NOT NULL DEFAULT 0,        -- members when it was started
    transmissions   bigint NOT NULL DEFAULT 0,        -- how many it has made; ICTCore's contact_done is these but the pending
    -- Where it is in its list. Members join with rising ids: who has a higher one than `member_limit` came later.
    member_cursor   bigint NOT NULL DEFAULT 0,        -- the last member that was dealt with or put into campaign_postponed
    member_limit    bigint NOT NULL DEFAULT 0,        -- the last one when it was started
    paced_at        timestamptz,                      -- the next call is not before this
    wakes_at        timestamptz,                      -- nothing is to be done before this; null: not running
    last_run        timestamptz,
    started_at      timestamptz,
    finished_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE INDEX campaigns_organisation ON campaigns (organisation_id, id);
CREATE INDEX campaigns_awake ON campaigns (wakes_at) WHERE status IN ('ready', 'running');
CREATE INDEX campaigns_group ON campaigns (group_id);

-- Whose window is closed: nobody yet who is listed as a transmission. Few at a time, whatever the list's length.
CREATE TABLE campaign_postponed (
    campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    contact_id  bigint NOT NULL,
    member_id   bigint NOT NULL,
    due_at      timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, contact_id)
);
CREATE INDEX campaign_postponed_due ON campaign_postponed (campaign_id, due_at);

-- What became of its calls, counted where it happens: each switch's saver has rows of its own, so that none waits.
CREATE TABLE campaign_figures (
    campaign_id bigint NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    switch      text NOT NULL,
    figure      text NOT NULL,                        -- answered, busy, … (attempts by disposition);
                                                      -- transmission completed, transmission failed, transmission invalid
    count       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, switch, figure)
) WITH (fillfactor = 50);

CREATE TABLE transmissions (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    title           text NOT NULL DEFAULT '',
    origin          text NOT NULL DEFAULT '',
    contact_id      bigint NOT NULL,                  -- no references: what it names may be deleted, it stays
    account_id      bigint,
    program_id      bigint NOT NULL,
    campaign_id     bigint,
    service_flag    integer NOT NULL DEFAULT 1,
    direction       text NOT NULL DEFAULT 'outbound' CHECK (direction IN ('outbound', 'inbound')),
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN (
        'pending',        -- made, or withdrawn before it was dialled; a campaign's is due at once
        'pending_retry',  -- an attempt failed, another one follows at `due_at`
        'initializing', 'done',                       -- ICTCore's; nothing here sets them
        'processing',     -- an attempt is queued or lives
        'completed', 'failed',
        'invalid')),      -- it cannot be dialled: no number, do-not-call, opted out
    response        text NOT NULL DEFAULT '',
    try_allowed     integer NOT NULL DEFAULT 1,
    try_done        integer NOT NULL DEFAULT 0,
    last_run        timestamptz,
    due_at          timestamptz,                      -- when the engine makes its next spool; null: waits for `send`
    is_deleted      boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (campaign_id, contact_id)                  -- nobody is in a campaign twice
) WITH (fillfactor = 70);
CREATE INDEX transmissions_organisation ON transmissions (organisation_id, id);
CREATE INDEX transmissions_contact ON transmissions (contact_id);
CREATE INDEX transmissions_program ON transmissions (program_id);
-- One that waits: a campaign's for its campaign, a single one (campaign 0) for anybody.
CREATE INDEX transmissions_due ON transmissions ((coalesce(campaign_id, 0)), due_at)
    WHERE status IN ('pending', 'pending_retry') AND due_at IS NOT NULL AND NOT is_deleted;

CREATE INDEX transmissions_pending ON transmissions (campaign_id) WHERE status = 'pending' AND campaign_id IS NOT NULL;

CREATE TABLE spools (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    transmission_id bigint NOT NULL,
    campaign_id     bigint,
    account_id      bigint,
    service_flag    integer NOT NULL DEFAULT 1,
    call_id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),      -- the id of its live call
    status          text NOT NULL DEFAULT 'queued' CHECK (status IN (
        'queued',      -- to be dialled
        'started',     -- dialled
        'connected',   -- answered
        'completed',   -- it was connected, and has ended
        'failed',
        'invalid')),   -- withdrawn, or never to be dialled
    number          text NOT NULL DEFAULT '',         -- E.164 with a plus
    caller_id       text NOT NULL DEFAULT '',
    trunk           text NOT NULL DEFAULT '',
    disposition     text,
    cause           integer,                          -- Q.850
    response        text NOT NULL DEFAULT '',
    amount          integer NOT NULL DEFAULT 0,       -- seconds from the answer to the end
    time_spool      timestamptz NOT NULL DEFAULT clock_timestamp(),
    time_start      timestamptz,
    time_connect    timestamptz,
    time_end        timestamptz,
    is_sent         boolean NOT NULL DEFAULT false,   -- by somebody's order: whatever its campaign does, it is dialled
    claimed_switch  text,                             -- which engine takes it; null: nobody yet (POST …/send)
    claimed_engine  uuid
) WITH (fillfactor = 70);
CREATE INDEX spools_transmission ON spools (transmission_id, id);
CREATE INDEX spools_organisation ON spools (organisation_id, id);
CREATE INDEX spools_open ON spools ((coalesce(campaign_id, 0)), status) WHERE time_end IS NULL;
CREATE INDEX spools_claimed ON spools (claimed_switch) WHERE time_end IS NULL;
CREATE INDEX spools_campaign_start ON spools (campaign_id, time_start) WHERE campaign_id IS NOT NULL;
CREATE INDEX spools_dialled ON spools (organisation_id, time_start) WHERE time_start IS NOT NULL;

CREATE TABLE results (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    spool_id        bigint NOT NULL,
    application_id  integer NOT NULL DEFAULT 0,       -- the step of the program, from 1
    type            text NOT NULL,                    -- application, contact, message, info, error
    name            text NOT NULL,
    data            text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX results_spool ON results (spool_id, id);

-- Numbers that nobody of an organisation calls by a campaign. The list of those who opted out holds for every campaign.
CREATE TABLE dnc_lists (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    name            text NOT NULL,
    is_opt_out      boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dnc_lists_organisation ON dnc_lists (organisation_id, id);
CREATE UNIQUE INDEX dnc_lists_opt_out ON dnc_lists (organisation_id) WHERE is_opt_out;
CREATE TABLE dnc_numbers (
    list_id  bigint NOT NULL REFERENCES dnc_lists ON DELETE CASCADE,
    number   text NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (list_id, number)
);

-- What is to be done at a time: ICTCore's tasks. Times are reckoned in `time_zone`.
CREATE TABLE schedules (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    account_id      bigint,
    type            text NOT NULL CHECK (type IN ('transmission', 'campaign')),
    action          text NOT NULL CHECK (action IN ('send', 'start', 'stop')),
    data            bigint NOT NULL,                  -- the transmission's or campaign's id
    fields          jsonb NOT NULL DEFAULT '{}',      -- cron: year month day weekday hour minute; {} for a single moment
    time_zone       text NOT NULL DEFAULT 'UTC',
    is_recurring    boolean NOT NULL DEFAULT false,
    expiry_s        integer NOT NULL DEFAULT 300,     -- later than this after `due_at` it is missed
    weight          integer NOT NULL DEFAULT 0,
    status          integer NOT NULL DEFAULT 0 CHECK (status IN (
        0,   -- on hold: waits for `due_at`
        1,   -- pending
        2,   -- processed
        3)), -- expired: it was missed
    due_at          timestamptz,                      -- null: never again
    last_run        timestamptz,
    problem         text NOT NULL DEFAULT '',         -- why it did nothing, when it was due
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schedules_due ON schedules (due_at) WHERE status IN (0, 1) AND due_at IS NOT NULL;
CREATE INDEX schedules_data ON schedules (type, data);

-- How many members a group has, kept with every change: counting a million takes a second. Contacts alone are called by a
-- campaign, users as well by an alarm. Whoever adds members locks the group first (FOR NO KEY UPDATE), so that a campaign
-- that starts knows by an id who was there.
ALTER TABLE contact_groups
    ADD contact_total bigint NOT NULL DEFAULT 0,
    ADD user_total    bigint NOT NULL DEFAULT 0;
UPDATE contact_groups g SET
    contact_total = (SELECT count(m.contact_id) FROM contact_group_members m WHERE m.group_id = g.id),
    user_total = (SELECT count(m.user_id) FROM contact_group_members m WHERE m.group_id = g.id);
CREATE INDEX contacts_number ON contacts (organisation_id, number);    -- who calls
CREATE INDEX contact_group_members_joined ON contact_group_members (group_id, id);

CREATE FUNCTION count_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM contact_groups g WHERE g.id IN (SELECT group_id FROM touched)  -- always in the same order
    ORDER BY g.id FOR NO KEY UPDATE;
    UPDATE contact_groups g SET
        contact_total = g.contact_total + CASE TG_OP WHEN 'INSERT' THEN n.contacts ELSE -n.contacts END,
        user_total = g.user_total + CASE TG_OP WHEN 'INSERT' THEN n.users ELSE -n.users END
    FROM (SELECT group_id, count(contact_id) AS contacts, count(user_id) AS users FROM touched GROUP BY group_id) n
    WHERE g.id = n.group_id;
    RETURN NULL;
END $$;
CREATE TRIGGER contact_group_members_added AFTER INSERT ON contact_group_members REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION count_members();
CREATE TRIGGER contact_group_members_removed AFTER DELETE ON contact_group_members REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION count_members();

-- Wakes: something to dial may be there, or a campaign is not to dial any more.
CREATE FUNCTION notify_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ringward_campaign', '');
    RETURN NULL;
END $$;
CREATE TRIGGER campaigns_made AFTER INSERT OR DELETE ON campaigns
    FOR EACH STATEMENT EXECUTE FUNCTION notify_campaign();
CREATE TRIGGER campaigns_changed AFTER UPDATE OF status, cpm, calls_per_second, channels, call_window ON campaigns
    FOR EACH ROW WHEN ((OLD.status, OLD.cpm, OLD.calls_per_second, OLD.channels, OLD.call_window)
        IS DISTINCT FROM (NEW.status, NEW.cpm, NEW.calls_per_second, NEW.channels, NEW.call_window))
    EXECUTE FUNCTION notify_campaign();
CREATE TRIGGER spools_sent AFTER INSERT ON spools
    FOR EACH ROW WHEN (NEW.claimed_switch IS NULL) EXECUTE FUNCTION notify_campaign();
