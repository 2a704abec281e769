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
    ADD config      jsonb NOT NULL DEFAULT '{}',      -- a client's own settings of this user
    ADD created_by  bigint,
    ADD token_version integer NOT NULL DEFAULT 1,     -- rises with every change of the password: older tokens end
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

-- Tokens that were cancelled before their time.
CREATE TABLE cancelled_tokens (
    id         text PRIMARY KEY,                      -- `jti`
    expires_at timestamptz NOT NULL
);

CREATE FUNCTION end_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.token_version := OLD.token_version + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER users_password BEFORE UPDATE OF password_hash ON users FOR EACH ROW
    WHEN (NEW.password_hash IS DISTINCT FROM OLD.password_hash) EXECUTE FUNCTION end_tokens();

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

-- Permissions are names with an underscore hierarchy: `contact` grants `contact_read`. What an organisation adds means
-- something to its own programs alone.
CREATE TABLE permissions (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint REFERENCES organisations,  -- null: everybody's
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (organisation_id, name)
);
CREATE TABLE roles (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint REFERENCES organisations,  -- null: everybody's, unchangeable
    name            text NOT NULL,
    description     text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (organisation_id, name)
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
CREATE INDEX user_roles_role ON user_roles (role_id);

INSERT INTO permissions (name)
SELECT grp || verb
FROM unnest(ARRAY['api', 'statistic', 'configuration', 'program', 'transmission', 'task', 'schedule', 'spool', 'result',
                  'provider', 'contact', 'group', 'account', 'user', 'usr', 'role', 'permission', 'campaign',
                  'document', 'recording', 'template', 'text']) WITH ORDINALITY AS g (grp, position),
     unnest(ARRAY['', '_create', '_list', '_read', '_update', '_delete', '_admin']) WITH ORDINALITY AS v (verb, place)
ORDER BY position, place;
INSERT INTO permissions (name)
VALUES ('program_execute'), ('transmission_send'), ('user_password'), ('campaign_start'), ('campaign_stop');
INSERT INTO roles (name, description)
VALUES ('admin', 'keeps users, accounts, roles and providers'), ('user', 'keeps and sends what is his own');
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id FROM roles r JOIN permissions p ON p.name = ANY(CASE r.name
    WHEN 'admin' THEN ARRAY['api', 'statistic', 'configuration', 'user', 'usr', 'role', 'permission', 'account',
                            'provider', 'user_admin', 'account_admin']
    ELSE ARRAY['api', 'statistic_read', 'configuration_read', 'user_read', 'user_password', 'account_read',
               'account_list', 'account_update', 'contact', 'group', 'campaign', 'document', 'recording', 'template',
               'text', 'program', 'transmission', 'task', 'schedule', 'spool', 'result'] END);

-- Whoever makes a user: he has the role `user`, and as an admin of the organisation also `admin`.
CREATE FUNCTION default_roles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_roles (user_id, role_id)
    SELECT NEW.id, r.id FROM roles r
    WHERE r.organisation_id IS NULL AND (NEW.is_admin AND r.name = 'admin' OR TG_OP = 'INSERT' AND r.name = 'user')
    ON CONFLICT DO NOTHING;
    IF NOT NEW.is_admin THEN
        DELETE FROM user_roles ur USING roles r
        WHERE ur.user_id = NEW.id AND r.id = ur.role_id AND r.organisation_id IS NULL AND r.name = 'admin';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER users_made AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION default_roles();
CREATE TRIGGER users_ruled AFTER UPDATE OF is_admin ON users FOR EACH ROW
    WHEN (NEW.is_admin <> OLD.is_admin) EXECUTE FUNCTION default_roles();
INSERT INTO user_roles (user_id, role_id)
SELECT u.id, r.id FROM users u JOIN roles r ON r.name = 'user' OR u.is_admin;

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
    type            text NOT NULL DEFAULT '',         -- of `media`: pdf, tif, png, jpg; '' while there is none
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
    type            text NOT NULL DEFAULT '',         -- a file's ending: the attachment's, or what was said
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
