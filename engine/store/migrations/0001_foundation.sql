-- The directory (who may be rung, by whom), live calls with their outbox, what happened, and the engine's heartbeat.
-- Numbers are E.164 with a plus. Names of later products (contacts, alarms, campaigns) come in later migrations.

CREATE TABLE organisations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    country    text NOT NULL DEFAULT 'DE',      -- ISO 3166-1 alpha-2: national forms of numbers are read in it
    language   text NOT NULL DEFAULT 'de',      -- spoken prompts and the voice of its hotlines
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    name            text NOT NULL UNIQUE,             -- the log-in, unique in the system
    is_admin        boolean NOT NULL DEFAULT false,
    allow_admins    boolean NOT NULL DEFAULT false,   -- may admins of the organisation manage this user's phones?
    language        text NOT NULL DEFAULT 'de',
    password_hash   text,                             -- argon2id
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX users_organisation ON users (organisation_id);

CREATE TABLE tokens (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    user_id         bigint REFERENCES users,          -- null: an organisation's API token
    digest          bytea NOT NULL UNIQUE,            -- SHA-256 of the token; the token itself is never stored
    created_at      timestamptz NOT NULL DEFAULT now(),
    revoked_at      timestamptz
);

CREATE TABLE phones (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    user_id         bigint NOT NULL REFERENCES users,
    name            text NOT NULL,
    number          text NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    is_active       boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX phones_user ON phones (user_id);

CREATE TABLE sip_customers (
    organisation_id    bigint PRIMARY KEY REFERENCES organisations,
    name               text NOT NULL,
    street             text NOT NULL,
    street_housenumber bigint NOT NULL,
    city               text NOT NULL,
    city_code          text NOT NULL,
    country            text NOT NULL
);

CREATE TABLE hotlines (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id   bigint NOT NULL REFERENCES organisations,
    name              text NOT NULL,
    number            text NOT NULL CHECK (number ~ '^\+[0-9]{3,15}$'),
    is_active         boolean NOT NULL,
    channels_inbound  integer NOT NULL CHECK (channels_inbound BETWEEN 1 AND 100),
    channels_outbound integer NOT NULL CHECK (channels_outbound BETWEEN 1 AND 100),
    tts_inbound       text NOT NULL,
    tts_outbound      text NOT NULL,
    status            text NOT NULL DEFAULT 'created' CHECK (status IN (
        'created',   -- POST committed; no engine has seen it
        'starting',  -- an engine renders its speech, or PUT changed a text or is_active
        'active',    -- speech ready, takes calls
        'paused',    -- PUT isActive=false: number kept, no calls
        'error')),   -- speech failed; calls are still taken, with the recorded prompts
    revision          bigint NOT NULL DEFAULT 1,      -- rises with every change the engine must act on
    ready_revision    bigint NOT NULL DEFAULT 0,      -- the revision whose speech is ready
    greeting_sound    text,                           -- sound names; null: the recorded default
    ask_sound         text,
    error             text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    deleted_at        timestamptz                     -- kept for its logs; invisible to every API
);
CREATE INDEX hotlines_organisation ON hotlines (organisation_id, id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX hotlines_number ON hotlines (number) WHERE deleted_at IS NULL;
CREATE INDEX hotlines_unready ON hotlines (id) WHERE deleted_at IS NULL AND ready_revision < revision;

CREATE TABLE hotline_agents (
    hotline_id bigint NOT NULL REFERENCES hotlines,
    position   integer NOT NULL,                      -- the order of the API's array
    user_id    bigint NOT NULL REFERENCES users,
    PRIMARY KEY (hotline_id, user_id)
);
CREATE INDEX hotline_agents_user ON hotline_agents (user_id);

-- The pool of numbers: a hotline takes the free one with the lowest position; a deleted hotline's goes to the end.
CREATE SEQUENCE numbers_position;
CREATE TABLE numbers (
    number     text PRIMARY KEY CHECK (number ~ '^\+[0-9]{3,15}$'),
    position   bigint NOT NULL DEFAULT nextval('numbers_position'),
    hotline_id bigint UNIQUE REFERENCES hotlines
);
CREATE INDEX numbers_free ON numbers (position) WHERE hotline_id IS NULL;

-- One engine owns one switch; every save checks `fencing`.
CREATE TABLE engines (
    switch    text PRIMARY KEY,
    engine_id uuid NOT NULL,
    fencing   bigint NOT NULL,
    beat_at   timestamptz NOT NULL,
    pid       integer NOT NULL,
    state     jsonb NOT NULL DEFAULT '{}',            -- {"switch": bool, "speech": bool, "taking_calls": bool, …}
    metrics   text NOT NULL DEFAULT ''                -- the engine's figures, prometheus text format
);

-- A live call: one row while it lives. The outbox holds switch commands not yet known to be sent; a later save of
-- the call overwrites it. fillfactor leaves room for HOT updates.
CREATE TABLE calls (
    id              uuid PRIMARY KEY,
    switch          text NOT NULL,
    organisation_id bigint NOT NULL,
    hotline_id      bigint NOT NULL,
    flow            text NOT NULL,
    version         integer NOT NULL,
    phase           text NOT NULL,
    state           jsonb NOT NULL,
    outbox          jsonb,
    started_at      timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX calls_switch ON calls (switch);

CREATE TABLE call_logs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_id         uuid NOT NULL UNIQUE,
    organisation_id bigint NOT NULL,
    hotline_id      bigint NOT NULL,
    caller_leg      text NOT NULL,
    start_time      timestamptz NOT NULL,
    end_time        timestamptz,
    outcome         text
);
CREATE INDEX call_logs_hotline ON call_logs (hotline_id, id);
CREATE INDEX call_logs_leg ON call_logs (caller_leg);

CREATE TABLE call_log_entries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_log_id     bigint NOT NULL REFERENCES call_logs,
    organisation_id bigint NOT NULL,
    at              timestamptz NOT NULL,
    type            text NOT NULL,
    user_id         bigint,
    phone_id        bigint,
    phone           text,
    message         text NOT NULL DEFAULT ''
);
CREATE INDEX call_log_entries_log ON call_log_entries (call_log_id, id);

CREATE TABLE telephone_records (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    leg             text NOT NULL,
    call_log_id     bigint NOT NULL REFERENCES call_logs,
    organisation_id bigint NOT NULL,
    hotline_id      bigint NOT NULL,
    direction       text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    from_number     text NOT NULL,
    to_number       text NOT NULL,
    start_time      timestamptz NOT NULL,
    answer_time     timestamptz,
    end_time        timestamptz NOT NULL,
    status          text NOT NULL,
    cause           integer NOT NULL,
    fallback        boolean NOT NULL DEFAULT false,
    UNIQUE (call_log_id, leg)
);
CREATE INDEX telephone_records_hotline ON telephone_records (hotline_id, id);

-- Wakes: a change of the directory tells the engine which hotline to look at again; polling makes sure.
CREATE FUNCTION notify_hotline() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ringward_hotline', NEW.id::text);
    RETURN NEW;
END $$;
CREATE TRIGGER hotlines_changed AFTER INSERT OR UPDATE OF revision, is_active, deleted_at, channels_inbound,
    channels_outbound, greeting_sound, ask_sound ON hotlines FOR EACH ROW EXECUTE FUNCTION notify_hotline();

-- Phones and agents change what the switch must know for its fallback: '0' means "look at all of them".
CREATE FUNCTION notify_phones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ringward_hotline', '0');
    RETURN NULL;
END $$;
CREATE TRIGGER phones_changed AFTER INSERT OR UPDATE OR DELETE ON phones
    FOR EACH STATEMENT EXECUTE FUNCTION notify_phones();
CREATE TRIGGER agents_changed AFTER INSERT OR UPDATE OR DELETE ON hotline_agents
    FOR EACH STATEMENT EXECUTE FUNCTION notify_phones();
