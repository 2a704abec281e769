-- Providers of the ICTCore API: trunks that organisations bring. Active ones of the type sip with the voice bit become
-- trunks of the capacity budget while the engine runs; the others are kept.
CREATE TABLE providers (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    type            text NOT NULL CHECK (type IN ('sip', 'smpp', 'http', 'smtp', 'emailcmd')),
    gateway_flag    bigint NOT NULL,
    service_flag    bigint NOT NULL,                  -- bits: voice 1, fax 2, SMS 4, e-mail 8
    node_id         bigint NOT NULL,
    host            text NOT NULL,
    port            integer NOT NULL,
    username        text NOT NULL,
    password        text NOT NULL,                    -- as it is: the switch must tell it to the far side
    dialstring      text NOT NULL,
    prefix          text NOT NULL,                    -- engine/vocabulary/dialling.py
    settings        text NOT NULL,
    register        boolean NOT NULL,
    weight          bigint NOT NULL,                  -- the lighter is preferred
    active          boolean NOT NULL,
    channels        integer NOT NULL,                 -- of the capacity budget; 0: as the settings say
    cps             double precision NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX providers_organisation ON providers (organisation_id, id);

CREATE FUNCTION notify_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('ringward_provider', '');
    RETURN NULL;
END $$;
CREATE TRIGGER providers_changed AFTER INSERT OR UPDATE OR DELETE ON providers
    FOR EACH STATEMENT EXECUTE FUNCTION notify_provider();
