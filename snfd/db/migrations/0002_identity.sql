-- People, their tokens, groups and projects; the registry of components.
--
-- Every uuid that names a person or a project anywhere else refers to
-- identity.app_user(uuid) or identity.project(uuid). A person's own
-- ("system") project has the person's uuid.

CREATE SCHEMA identity;

CREATE TABLE identity.app_user (
    uuid             uuid PRIMARY KEY,
    number           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    username         text NOT NULL UNIQUE CHECK (length(username) BETWEEN 1 AND 254),
    email            text NOT NULL CHECK (length(email) <= 254 AND email LIKE '_%@_%'),
    first_name       text NOT NULL DEFAULT '',
    last_name        text NOT NULL DEFAULT '',
    affiliation      text,
    email_verified   boolean NOT NULL DEFAULT false,
    verified_at      timestamptz,
    moderation       text NOT NULL DEFAULT 'pending'
                     CHECK (moderation IN ('pending', 'accepted', 'rejected')),
    moderated_at     timestamptz,
    accepted_policy  text,
    accepted_email   text,
    rejected_reason  text,
    is_active        boolean NOT NULL DEFAULT false,
    deactivated_at   timestamptz,
    deactivated_reason text,
    -- NULL: the person's own project
    default_project  uuid,
    joined_at        timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    last_login_at    timestamptz,
    CHECK (NOT is_active OR (email_verified AND moderation = 'accepted')),
    -- so that a name at login can never mean two people
    CHECK (username NOT LIKE '%@%' OR username = email)
);
COMMENT ON COLUMN identity.app_user.username IS 'lower case; the e-mail unless chosen';
COMMENT ON COLUMN identity.app_user.email IS 'lower case; namesakes may wait unverified';
CREATE UNIQUE INDEX app_user_email ON identity.app_user (email) WHERE email_verified;

CREATE TABLE identity.login_method (
    id             bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id        uuid NOT NULL REFERENCES identity.app_user ON DELETE CASCADE,
    module         text NOT NULL,
    identifier     text NOT NULL DEFAULT '',
    active         boolean NOT NULL DEFAULT true,
    affiliation    text,
    info           jsonb NOT NULL DEFAULT '{}',
    password_hash  text CHECK (password_hash IS NULL OR module = 'local'),
    created_at     timestamptz NOT NULL,
    last_login_at  timestamptz,
    UNIQUE (user_id, module, identifier)
);
COMMENT ON COLUMN identity.login_method.password_hash IS 'argon2id in PHC form; module local only';
CREATE UNIQUE INDEX login_method_identifier
    ON identity.login_method (module, identifier) WHERE identifier <> '';

CREATE TABLE identity.user_group (
    id    bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name  text NOT NULL UNIQUE
);
INSERT INTO identity.user_group (name) VALUES ('default'), ('admin');

CREATE TABLE identity.user_group_member (
    group_id  bigint NOT NULL REFERENCES identity.user_group ON DELETE CASCADE,
    user_id   uuid NOT NULL REFERENCES identity.app_user ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX user_group_member_group ON identity.user_group_member (group_id);

CREATE TABLE identity.project (
    uuid              uuid PRIMARY KEY,
    name              text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    owner_id          uuid REFERENCES identity.app_user,
    state             text NOT NULL DEFAULT 'active'
                      CHECK (state IN ('uninitialized', 'active', 'suspended',
                                       'terminated', 'deleted')),
    is_system         boolean NOT NULL DEFAULT false,
    private           boolean NOT NULL DEFAULT false,
    homepage          text NOT NULL DEFAULT '',
    description       text NOT NULL DEFAULT '',
    created_at        timestamptz NOT NULL,
    -- NULL: never
    ends_at           timestamptz,
    join_policy       text NOT NULL CHECK (join_policy IN ('auto', 'moderated', 'closed')),
    leave_policy      text NOT NULL CHECK (leave_policy IN ('auto', 'moderated', 'closed')),
    max_members       bigint NOT NULL DEFAULT 9223372036854775807 CHECK (max_members >= 0),
    CHECK (NOT is_system OR (owner_id IS NOT DISTINCT FROM uuid AND state <> 'uninitialized'))
);
CREATE UNIQUE INDEX project_live_name ON identity.project (lower(name))
    WHERE state IN ('active', 'suspended') AND NOT is_system;
CREATE INDEX project_owner ON identity.project (owner_id);
ALTER TABLE identity.app_user ADD FOREIGN KEY (default_project) REFERENCES identity.project;

CREATE TABLE identity.membership (
    id               bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    user_id          uuid NOT NULL REFERENCES identity.app_user,
    project_id       uuid NOT NULL REFERENCES identity.project,
    role             text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'reader')),
    state            text NOT NULL
                     CHECK (state IN ('requested', 'accepted', 'leave_requested', 'suspended',
                                      'rejected', 'cancelled', 'removed')),
    -- whether it was accepted at least once, so that holdings exist
    initialized      boolean NOT NULL DEFAULT false,
    overquota_state  text NOT NULL DEFAULT 'OK',
    overquota_since  timestamptz,
    UNIQUE (user_id, project_id)
);
CREATE INDEX membership_project ON identity.membership (project_id, state);

CREATE TABLE identity.api_token (
    -- sha256 of the secret
    hash          bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    user_id       uuid NOT NULL REFERENCES identity.app_user ON DELETE CASCADE,
    -- NULL: unscoped, follows the person's default project
    project_id    uuid REFERENCES identity.project ON DELETE CASCADE,
    kind          text NOT NULL
                  CHECK (kind IN ('personal', 'session', 'login', 'weblogin', 'appcred')),
    label         text NOT NULL DEFAULT '',
    methods       text[] NOT NULL DEFAULT '{}',
    -- what audit records call the token; its own id, then that of the first of its chain
    audit_ids     text[] NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz
);
CREATE INDEX api_token_user ON identity.api_token (user_id);
CREATE INDEX api_token_project ON identity.api_token (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX api_token_expiry ON identity.api_token (expires_at);

CREATE TABLE identity.component (
    id                bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name              text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 255),
    base_url          text,
    ui_url            text,
    token_hash        bytea UNIQUE CHECK (octet_length(token_hash) = 32),
    token_created_at  timestamptz,
    -- NULL: never
    token_expires_at  timestamptz
);

CREATE TABLE identity.service (
    id            bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    component_id  bigint NOT NULL REFERENCES identity.component ON DELETE CASCADE,
    name          text NOT NULL UNIQUE,
    type          text NOT NULL,
    endpoints     jsonb NOT NULL
);
CREATE INDEX service_component ON identity.service (component_id);
