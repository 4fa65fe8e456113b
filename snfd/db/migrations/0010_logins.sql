-- Logging in by way of others, and handing tokens to programs.

-- Whom a login method vouches for, and who has no account yet.
CREATE TABLE identity.pending_login (
    -- sha256 of the key that opens the form of a new account
    key_hash    bytea PRIMARY KEY CHECK (octet_length(key_hash) = 32),
    module      text NOT NULL,
    identifier  text NOT NULL,
    -- what the method said: fields, verified, groups
    claims      jsonb NOT NULL,
    -- where the browser wanted to go
    next        text NOT NULL DEFAULT '',
    expires_at  timestamptz NOT NULL,
    UNIQUE (module, identifier)
);
CREATE INDEX pending_login_expiry ON identity.pending_login (expires_at);

-- Policies of a login method for some people only.
CREATE TABLE identity.login_profile (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    module     text NOT NULL,
    -- holds for all methods but this one
    exclusive  boolean NOT NULL DEFAULT false,
    active     boolean NOT NULL DEFAULT true,
    -- among several the highest decides
    priority   integer NOT NULL DEFAULT 0,
    -- policy → value; what is not named is left as it is
    policies   jsonb NOT NULL
);
CREATE TABLE identity.login_profile_user (
    profile_id  bigint NOT NULL REFERENCES identity.login_profile ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES identity.app_user ON DELETE CASCADE,
    PRIMARY KEY (user_id, profile_id)
);
CREATE TABLE identity.login_profile_group (
    profile_id  bigint NOT NULL REFERENCES identity.login_profile ON DELETE CASCADE,
    group_id    bigint NOT NULL REFERENCES identity.user_group ON DELETE CASCADE,
    PRIMARY KEY (group_id, profile_id)
);

-- Programs that people may let act for them (OAuth2, authorization code).
CREATE TABLE identity.oauth2_client (
    id           text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    -- sha256 of the secret; NULL: it can keep none, and must use PKCE
    secret_hash  bytea CHECK (octet_length(secret_hash) = 32),
    -- exact addresses
    redirects    text[] NOT NULL,
    -- nobody is asked whether he lets it
    trusted      boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL
);

CREATE TABLE identity.oauth2_code (
    hash        bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    client_id   text NOT NULL REFERENCES identity.oauth2_client ON DELETE CASCADE,
    -- dies with the session that it was given from
    session     bytea NOT NULL REFERENCES identity.api_token ON DELETE CASCADE,
    redirect    text NOT NULL,
    scope       text NOT NULL,
    -- PKCE, S256; empty for none
    challenge   text NOT NULL DEFAULT '',
    -- it was exchanged already: once more ends what it was exchanged for
    used        boolean NOT NULL DEFAULT false,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX oauth2_code_expiry ON identity.oauth2_code (expires_at);
CREATE INDEX oauth2_code_session ON identity.oauth2_code (session);
CREATE INDEX oauth2_code_client ON identity.oauth2_code (client_id);

CREATE TABLE identity.oauth2_token (
    hash        bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    code        bytea NOT NULL REFERENCES identity.oauth2_code ON DELETE CASCADE,
    scope       text NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX oauth2_token_code ON identity.oauth2_token (code);
