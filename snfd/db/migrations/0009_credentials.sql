-- Application credentials, second factors, and failed logins.

CREATE TABLE identity.app_credential (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES identity.app_user ON DELETE CASCADE,
    -- its tokens act here and nowhere else
    project_id    uuid NOT NULL REFERENCES identity.project ON DELETE CASCADE,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description   text NOT NULL DEFAULT '',
    -- sha256 of the secret, which is 32 random bytes
    secret_hash   bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    -- the most that its tokens may be; NULL: as much as the person
    role          text CHECK (role IN ('reader', 'member')),
    -- whether its tokens may make and delete credentials and tokens
    unrestricted  boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL,
    -- NULL: never
    expires_at    timestamptz,
    UNIQUE (user_id, name)
);
CREATE INDEX app_credential_project ON identity.app_credential (project_id);

-- a token from a credential dies with it
ALTER TABLE identity.api_token
    ADD COLUMN credential_id uuid REFERENCES identity.app_credential ON DELETE CASCADE,
    -- the most that the token may be; NULL: as much as the person
    ADD COLUMN role text CHECK (role IN ('reader', 'member')),
    ADD CHECK (credential_id IS NULL OR project_id IS NOT NULL);
CREATE INDEX api_token_credential ON identity.api_token (credential_id)
    WHERE credential_id IS NOT NULL;

-- One-time codes by time (RFC 6238).
CREATE TABLE identity.totp (
    user_id       uuid PRIMARY KEY REFERENCES identity.app_user ON DELETE CASCADE,
    secret        bytea NOT NULL,              -- sealed
    created_at    timestamptz NOT NULL,
    -- NULL: not asked for until the first code was right
    confirmed_at  timestamptz,
    -- the step of the last code that was right: neither it nor an older one is again
    last_step     bigint NOT NULL DEFAULT 0
);

-- What opens an account whose one-time codes are lost; each works once.
CREATE TABLE identity.recovery_code (
    user_id  uuid NOT NULL REFERENCES identity.totp ON DELETE CASCADE,
    -- sha256 of the code, which is 80 random bits
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (user_id, hash)
);

-- Failed logins of the current minute, for all processes.
CREATE TABLE identity.login_failure (
    -- sha256 of "name:…" or "address:…": people type passwords into the wrong field
    subject   bytea PRIMARY KEY CHECK (octet_length(subject) = 32),
    since     timestamptz NOT NULL,
    failures  integer NOT NULL CHECK (failures > 0)
);
CREATE INDEX login_failure_since ON identity.login_failure (since);
