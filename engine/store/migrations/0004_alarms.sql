-- Alarms and the directory they ring: contacts, groups, recordings, numbers; events, webhooks; live calls of several parts.

-- Whom an organisation may ring, and how often. Empty `countries`: its own country alone.
ALTER TABLE organisations
    ADD countries        text[]  NOT NULL DEFAULT '{}',
    ADD calls_per_minute integer NOT NULL DEFAULT 2000 CHECK (calls_per_minute > 0),
    ADD calls_per_hour   integer NOT NULL DEFAULT 10000 CHECK (calls_per_hour > 0),
    ADD calls_per_day    integer NOT NULL DEFAULT 50000 CHECK (calls_per_day > 0);

-- A system token (organisation null) makes and removes organisations and numbers, and does nothing else.
ALTER TABLE tokens ALTER organisation_id DROP NOT NULL,
    ADD CONSTRAINT tokens_of_somebody CHECK (organisation_id IS NOT NULL OR user_id IS NULL);

-- A phone's place in its user's order: rung first to last.
ALTER TABLE phones ADD position integer NOT NULL DEFAULT 0;

CREATE TABLE contacts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    first_name      text NOT NULL DEFAULT '',
    last_name       text NOT NULL DEFAULT '',
    phone           text NOT NULL DEFAULT '',         -- as given: it is returned as given
    number          text CHECK (number ~ '^\+[0-9]{3,15}$'),
    more_numbers    text[] NOT NULL DEFAULT '{}',     -- rung after `number`, E.164 with a plus
    email           text NOT NULL DEFAULT '',
    address         text NOT NULL DEFAULT '',
    custom1         text NOT NULL DEFAULT '',
    custom2         text NOT NULL DEFAULT '',
    custom3         text NOT NULL DEFAULT '',
    description     text NOT NULL DEFAULT '',
    language        text,                             -- null: the organisation's
    time_zone       text,                             -- null: the number's
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contacts_organisation ON contacts (organisation_id, id);

CREATE TABLE contact_groups (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contact_groups_organisation ON contact_groups (organisation_id, id);

-- A member is a contact or a user. `id` rises with joining, so that a running campaign knows who came later.
CREATE TABLE contact_group_members (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    group_id        bigint NOT NULL REFERENCES contact_groups ON DELETE CASCADE,
    contact_id      bigint REFERENCES contacts ON DELETE CASCADE,
    user_id         bigint REFERENCES users ON DELETE CASCADE,
    CHECK (num_nonnulls(contact_id, user_id) = 1),
    UNIQUE (group_id, contact_id),
    UNIQUE (group_id, user_id)
);
CREATE INDEX contact_group_members_contact ON contact_group_members (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX contact_group_members_user ON contact_group_members (user_id) WHERE user_id IS NOT NULL;

-- As uploaded; the engine makes the sound files of it. In here, because api and engine may be on different machines.
CREATE TABLE recordings (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    name            text NOT NULL,
    audio           bytea NOT NULL,                   -- WAV
    digest          text NOT NULL,                    -- SHA-256 of `audio`, hexadecimal
    duration_ms     integer NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recordings_organisation ON recordings (organisation_id, id);

-- A number is free, a hotline's, or (organisation_id) an organisation's own: what its alarms show as caller.
ALTER TABLE numbers
    ADD organisation_id bigint REFERENCES organisations,
    ADD name            text NOT NULL DEFAULT '',
    ADD CONSTRAINT numbers_one_use CHECK (hotline_id IS NULL OR organisation_id IS NULL);
DROP INDEX numbers_free;
CREATE INDEX numbers_free ON numbers (position) WHERE hotline_id IS NULL AND organisation_id IS NULL;
CREATE INDEX numbers_organisation ON numbers (organisation_id) WHERE organisation_id IS NOT NULL;

-- An alarm. `plan` is vocabulary.AlarmPlan as JSON (it holds the pin: no API reads it); `request` what the client asked,
-- without the pin. `call_id` is the id of its live call, chosen when it is posted, so that it begins once.
CREATE TABLE alarms (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    call_id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    state           text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'ringing', 'acknowledged', 'failed', 'cancelled', 'expired')),
    needed          integer NOT NULL,
    plan            jsonb NOT NULL,
    request         jsonb NOT NULL,
    claimed_switch  text,                             -- which engine takes it: its switch and itself
    claimed_engine  uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    decided_at      timestamptz,                      -- left `ringing`
    finished_at     timestamptz                       -- its last leg ended
);
CREATE INDEX alarms_organisation ON alarms (organisation_id, id DESC);
CREATE INDEX alarms_queued ON alarms (id) WHERE state = 'queued';
CREATE INDEX alarms_open ON alarms (id) WHERE finished_at IS NULL;

CREATE TABLE alarm_recipients (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    alarm_id        bigint NOT NULL REFERENCES alarms ON DELETE CASCADE,
    position        integer NOT NULL,
    user_id         bigint,
    contact_id      bigint,
    name            text NOT NULL,
    role            text NOT NULL DEFAULT '',
    language        text NOT NULL,
    voice           text NOT NULL,
    phones          text[] NOT NULL,                  -- E.164 with a plus, in the order in which they are rung
    group_ids       bigint[] NOT NULL DEFAULT '{}',
    state           text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'ringing', 'acknowledged', 'declined', 'unreached')),
    acknowledged_at timestamptz,
    UNIQUE (alarm_id, position)
);
CREATE INDEX alarm_recipients_phones ON alarm_recipients USING gin (phones);

CREATE TABLE alarm_attempts (
    leg             text PRIMARY KEY,
    organisation_id bigint NOT NULL,
    alarm_id        bigint NOT NULL REFERENCES alarms ON DELETE CASCADE,
    recipient_id    bigint NOT NULL,                  -- no reference: its check would read all attempts for each deleted one
    direction       text NOT NULL DEFAULT 'outbound' CHECK (direction IN ('inbound', 'outbound')),
    phone           text NOT NULL,                    -- E.164 with a plus
    trunk           text NOT NULL,
    placed_at       timestamptz NOT NULL,
    answered_at     timestamptz,
    ended_at        timestamptz,
    disposition     text,
    cause           integer
) WITH (fillfactor = 70);
-- Whether somebody was ever rung is asked of every pending recipient of an open alarm, also while the planner knows nothing
-- yet of a large one.
CREATE INDEX alarm_attempts_alarm ON alarm_attempts (alarm_id, recipient_id);
CREATE INDEX alarm_attempts_placed ON alarm_attempts (placed_at);
CREATE INDEX alarm_attempts_organisation ON alarm_attempts (organisation_id, placed_at);

CREATE TABLE alarm_notes (                            -- the timeline
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    alarm_id        bigint NOT NULL REFERENCES alarms ON DELETE CASCADE,
    at              timestamptz NOT NULL,
    type            text NOT NULL,
    recipient_id    bigint,
    leg             text,
    phone           text,
    message         text NOT NULL DEFAULT ''
);
CREATE INDEX alarm_notes_alarm ON alarm_notes (alarm_id, id);

-- What people order about an alarm; the engine takes it up and deletes it when it is durable in the alarm.
CREATE TABLE alarm_orders (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    alarm_id        bigint NOT NULL REFERENCES alarms ON DELETE CASCADE,
    kind            text NOT NULL CHECK (kind IN ('cancel', 'acknowledge')),
    recipient_id    bigint REFERENCES alarm_recipients ON DELETE CASCADE,
    by              text NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE pin_failures (
    number text NOT NULL,                             -- E.164 with a plus
    at     timestamptz NOT NULL
);
CREATE INDEX pin_failures_at ON pin_failures (at);

-- A POST that may ring phones, remembered for 24 hours.
CREATE TABLE idempotency_keys (
    organisation_id bigint NOT NULL REFERENCES organisations,
    key             text NOT NULL,
    request_digest  bytea NOT NULL,                   -- SHA-256 of method, path and canonical body
    resource_id     bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organisation_id, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

CREATE FUNCTION notify_alarm() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ringward_alarm', '');
    RETURN NULL;
END $$;
CREATE TRIGGER alarms_posted AFTER INSERT ON alarms FOR EACH STATEMENT EXECUTE FUNCTION notify_alarm();
CREATE TRIGGER alarm_ordered AFTER INSERT ON alarm_orders FOR EACH STATEMENT EXECUTE FUNCTION notify_alarm();

-- What happened, for /events and webhooks, written in the transaction in which it happened. Readers go on after
-- (xact, id) and see only transactions older than every one still running, so that none is passed over.
CREATE TABLE events (
    id              bigint GENERATED ALWAYS AS IDENTITY,
    xact            xid8 NOT NULL DEFAULT pg_current_xact_id(),
    organisation_id bigint NOT NULL,
    at              timestamptz NOT NULL,
    type            text NOT NULL,                    -- alarm.created, recipient.acknowledged, call.finished, hotline.changed …
    data            json NOT NULL,                    -- written once, read whole
    PRIMARY KEY (organisation_id, xact, id)           -- one index: every entry of every call is written here
);

CREATE TABLE webhooks (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    url             text NOT NULL,
    types           text[] NOT NULL,
    description     text NOT NULL DEFAULT '',
    is_active       boolean NOT NULL DEFAULT true,
    secrets         jsonb NOT NULL,                   -- [{"secret": "whsec_…", "until": null | time}], newest first
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_organisation ON webhooks (organisation_id, id);

CREATE TABLE webhook_deliveries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL,
    webhook_id      bigint NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    message_id      text NOT NULL,                    -- the header webhook-id: the same at every try
    type            text NOT NULL,
    body            text NOT NULL,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    tries           integer NOT NULL DEFAULT 0,
    due_at          timestamptz NOT NULL DEFAULT now(),
    taken_until     timestamptz,                      -- a sender works on it until then
    created_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz,
    last_status     integer,
    last_error      text
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, due_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook_id, id DESC);

-- A live call may be of several parts (an alarm: its plan and one part a recipient), of which a step changes few.
ALTER TABLE calls ALTER hotline_id DROP NOT NULL;
CREATE TABLE call_parts (
    call_id uuid NOT NULL,                            -- no reference: it would cost every call that ends a look-up in here
    part    integer NOT NULL,
    state   jsonb NOT NULL,
    PRIMARY KEY (call_id, part)
) WITH (fillfactor = 70);
