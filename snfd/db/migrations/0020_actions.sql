-- What the actions on servers need: where a task leads, rescue images, and a
-- password that counts from the next start.

ALTER TABLE compute.server
    ADD COLUMN task_to text CHECK (task_to IN ('STOPPED', 'STARTED')),
    ADD COLUMN task_flavor int REFERENCES compute.flavor,
    ADD COLUMN new_password bytea,                   -- sealed
    DROP CONSTRAINT server_task_check,
    -- The names of tasks are those of `snfd.compute.states.Task`.
    ADD CONSTRAINT server_task_check CHECK (task ~ '^[A-Z_]{1,32}$');

-- Systems on which servers start when their own does not; the file is on the nodes.
CREATE TABLE compute.rescue_image (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    path text NOT NULL CHECK (path <> ''),
    os_family text NOT NULL DEFAULT '',
    os text NOT NULL DEFAULT '',
    is_default boolean NOT NULL DEFAULT false,
    deleted boolean NOT NULL DEFAULT false,
    created timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX rescue_image_default ON compute.rescue_image (is_default)
    WHERE is_default AND NOT deleted;

ALTER TABLE compute.server
    ADD COLUMN rescue_image int REFERENCES compute.rescue_image;
CREATE INDEX server_rescue_image ON compute.server (rescue_image)
    WHERE rescue_image IS NOT NULL;
