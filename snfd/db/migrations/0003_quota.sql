-- What may be used, and what is: limits, holdings, commissions.
--
-- A holding is what one member uses of one project (user_id set), or what the
-- whole project has handed out (user_id NULL). ``member`` makes both kinds
-- part of one key: the nil uuid stands for "the whole project". Rows are
-- locked in the order of that key, by everybody.

CREATE SCHEMA quota;

CREATE TABLE quota.resource (
    name             text PRIMARY KEY,
    description      text NOT NULL DEFAULT '',
    -- 'bytes', or NULL for a count
    unit             text,
    service_type     text NOT NULL,
    service_origin   text NOT NULL,
    system_default   bigint NOT NULL CHECK (system_default >= 0),
    project_default  bigint NOT NULL CHECK (project_default >= 0),
    api_visible      boolean NOT NULL DEFAULT true,
    ui_visible       boolean NOT NULL DEFAULT true,
    CHECK (api_visible OR NOT ui_visible)
);

CREATE TABLE quota.project_limit (
    project_id   uuid NOT NULL REFERENCES identity.project ON DELETE CASCADE,
    resource     text NOT NULL REFERENCES quota.resource,
    project_cap  bigint NOT NULL CHECK (project_cap >= 0),
    member_cap   bigint NOT NULL CHECK (member_cap >= 0),
    PRIMARY KEY (project_id, resource)
);

CREATE TABLE quota.holding (
    project_id  uuid NOT NULL REFERENCES identity.project,
    user_id     uuid REFERENCES identity.app_user,
    member      uuid NOT NULL GENERATED ALWAYS AS
                (coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    resource    text NOT NULL REFERENCES quota.resource,
    cap         bigint NOT NULL CHECK (cap >= 0),
    usage_min   bigint NOT NULL DEFAULT 0 CHECK (usage_min >= 0),
    usage_max   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (project_id, member, resource),
    CHECK (usage_min <= usage_max)
) WITH (fillfactor = 70);
COMMENT ON COLUMN quota.holding.cap IS 'may be below the usage: limits change at any time';
CREATE INDEX holding_user ON quota.holding (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE quota.commission (
    serial     bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    -- who issued it and alone may resolve it; a component's name
    clientkey  text NOT NULL,
    name       text NOT NULL DEFAULT '',
    -- what waits for it, e.g. the intent of a job
    ref        uuid UNIQUE,
    issued_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX commission_client ON quota.commission (clientkey, serial);

CREATE TABLE quota.provision (
    serial      bigint NOT NULL REFERENCES quota.commission ON DELETE CASCADE,
    project_id  uuid NOT NULL,
    user_id     uuid,
    member      uuid NOT NULL GENERATED ALWAYS AS
                (coalesce(user_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    resource    text NOT NULL,
    quantity    bigint NOT NULL,
    PRIMARY KEY (serial, project_id, member, resource),
    FOREIGN KEY (project_id, member, resource) REFERENCES quota.holding
);
CREATE INDEX provision_holding ON quota.provision (project_id, member, resource);

CREATE TABLE quota.provision_log (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    serial      bigint NOT NULL,
    clientkey   text NOT NULL,
    name        text NOT NULL,
    project_id  uuid NOT NULL,
    user_id     uuid,
    resource    text NOT NULL,
    -- the holding after the action
    cap         bigint NOT NULL,
    usage_min   bigint NOT NULL,
    usage_max   bigint NOT NULL,
    delta       bigint NOT NULL,
    issued_at   timestamptz NOT NULL,
    logged_at   timestamptz NOT NULL DEFAULT now(),
    reason      text NOT NULL
);
CREATE INDEX provision_log_holding ON quota.provision_log (project_id, user_id, logged_at);
CREATE INDEX provision_log_time ON quota.provision_log (logged_at);
