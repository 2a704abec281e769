-- What the ICTCore API knows of people beside the directory: their accounts, roles and permissions; and its messages.
-- `created_by` is the user who made a row: who has no `…_admin` permission sees only his own.

ALTER TABLE users
    ADD first_name  text NOT NULL DEFAULT '',
    ADD last_name   text NOT NULL DEFAULT '',
    ADD phone       text NOT NULL DEFAULT '',
    ADD email       text,
    ADD address     text NOT NULL DEFAULT '',
    ADD company     text NOT NULL DEFAULT '',
    ADD country_id  text NOT NULL DEFAULT '',
    ADD timezone_id text NOT NULL DEFAULT '',
    ADD active      boolean NOT NULL DEFAULT true;    -- false: cannot log in
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE email IS NOT NULL;

ALTER TABLE contacts ADD created_by bigint;
ALTER TABLE contact_groups ADD created_by bigint;

-- The key that signs the tokens of POST /authenticate; the newest signs, older ones still verify.
CREATE TABLE signing_keys (
    id          text PRIMARY KEY,                     -- `kid`
    private_key text NOT NULL,                        -- PKCS #8, PEM
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE accounts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations,
    created_by      bigint,
    user_id         bigint REFERENCES users ON DELETE SET NULL,
    type            text NOT NULL DEFAULT 'account' CHECK (type IN ('account', 'extension', 'did', 'eaddress')),
    username        text NOT NULL,
    passwd          text NOT NULL DEFAULT '',         -- of a SIP device: it must be told to it
    passwd_pin      text NOT NULL DEFAULT '',
    first_name      text NOT NULL DEFAULT '',
    last_name       text NOT NULL DEFAULT '',
    phone           text NOT NULL DEFAULT '',
    email           text NOT NULL DEFAULT '',
    address         text NOT NULL DEFAULT '',
    active          boolean NOT NULL DEFAULT false,
    settings        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, type, username)
);
CREATE INDEX accounts_user ON accounts (user_id) WHERE user_id IS NOT NULL;

-- Permissions are names with an underscore hierarchy: `contact` grants `contact_read`. Ours are the same for everybody.
CREATE TABLE permissions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    description text NOT NULL DEFAULT ''
);
CREATE TABLE roles (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint REFERENCES organisations,  -- null: everybody's, unchangeable
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE role_permissions (
    role_id       bigint NOT NULL REFERENCES roles ON DELETE CASCADE,
    permission_id bigint NOT NULL REFERENCES permissions ON DELETE CASCADE,
    PRIMARY KEY (role_id, permission_id)
);
CREATE TABLE user_roles (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role_id bigint NOT NULL REFERENCES roles ON DELETE CASCADE,
    PRIMARY KEY (user_id, role_id)
);
CREATE TABLE user_permissions (
    user_id       bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    permission_id bigint NOT NULL REFERENCES permissions ON DELETE CASCADE,
    PRIMARY KEY (user_id, permission_id)
);

-- Messages. Each is made first and gets its file later; who has no audio yet is no recording for an alarm.
ALTER TABLE recordings
    ALTER audio DROP NOT NULL, ALTER digest DROP NOT NULL,
    ADD created_by  bigint,
    ADD description text NOT NULL DEFAULT '';
CREATE TABLE documents (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    quality         text NOT NULL DEFAULT 'standard',
    media           bytea,
    media_type      text NOT NULL DEFAULT '',
    pages           integer NOT NULL DEFAULT 0,
    width           integer NOT NULL DEFAULT 0,       -- of the first page: points of a PDF, dots of a picture
    height          integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX documents_organisation ON documents (organisation_id, id);
CREATE TABLE templates (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    subject         text NOT NULL,
    body            text NOT NULL,                    -- HTML
    body_alt        text NOT NULL DEFAULT '',
    media           bytea,                            -- the attachment
    media_type      text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX templates_organisation ON templates (organisation_id, id);
CREATE TABLE texts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations ON DELETE CASCADE,
    created_by      bigint,
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    data            text NOT NULL,
    type            text NOT NULL DEFAULT 'plain',
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX texts_organisation ON texts (organisation_id, id);
