-- Applications for projects, what became of projects and memberships.

ALTER TABLE identity.project
    ADD COLUMN last_application bigint,
    -- NULL while it is active, or was never
    ADD COLUMN deactivated_at timestamptz,
    -- the fewest days before its end of which its people were warned
    ADD COLUMN warned_days smallint;
CREATE INDEX project_created ON identity.project (created_at, uuid);
CREATE INDEX project_ends ON identity.project (ends_at)
    WHERE state IN ('active', 'suspended') AND NOT is_system;

UPDATE identity.project
   SET max_members = 1, ends_at = created_at + interval '100 years'
 WHERE is_system;

CREATE TABLE identity.application (
    id            bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    project_id    uuid NOT NULL REFERENCES identity.project,
    applicant     uuid NOT NULL REFERENCES identity.app_user,
    state         text NOT NULL DEFAULT 'pending'
                  CHECK (state IN ('pending', 'approved', 'replaced', 'denied',
                                   'dismissed', 'cancelled')),
    -- what shall be different, or all of a new project's definition
    changes       jsonb NOT NULL,
    comments      text NOT NULL DEFAULT '',
    start_date    timestamptz,
    issued_at     timestamptz NOT NULL,
    responded_at  timestamptz,
    response      text NOT NULL DEFAULT '',
    responder     uuid,
    CHECK ((responded_at IS NULL) = (state = 'pending'))
);
CREATE UNIQUE INDEX application_pending ON identity.application (project_id)
    WHERE state = 'pending';
CREATE INDEX application_project ON identity.application (project_id, id);
CREATE INDEX application_applicant ON identity.application (applicant)
    WHERE state = 'pending';
ALTER TABLE identity.project
    ADD FOREIGN KEY (last_application) REFERENCES identity.application;

CREATE TABLE identity.project_log (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    project_id  uuid NOT NULL REFERENCES identity.project ON DELETE CASCADE,
    -- NULL: it was made
    from_state  text,
    to_state    text NOT NULL,
    at          timestamptz NOT NULL,
    actor       uuid,
    actor_name  text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    -- whose deactivation (or activation) did it
    because_of  uuid
);
CREATE INDEX project_log_project ON identity.project_log (project_id, id);

CREATE TABLE identity.membership_log (
    id             bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    membership_id  bigint NOT NULL REFERENCES identity.membership ON DELETE CASCADE,
    from_state     text,
    to_state       text NOT NULL,
    at             timestamptz NOT NULL,
    actor          uuid,
    actor_name     text NOT NULL,
    reason         text NOT NULL DEFAULT '',
    because_of     uuid
);
CREATE INDEX membership_log_membership ON identity.membership_log (membership_id, id);
CREATE INDEX membership_user ON identity.membership (user_id, id);

INSERT INTO identity.project_log (project_id, to_state, at, actor_name)
SELECT uuid, state, created_at, 'snfd' FROM identity.project ORDER BY created_at;
INSERT INTO identity.membership_log (membership_id, to_state, at, actor_name)
SELECT m.id, m.state, p.created_at, 'snfd'
  FROM identity.membership m JOIN identity.project p ON p.uuid = m.project_id
 ORDER BY m.id;
