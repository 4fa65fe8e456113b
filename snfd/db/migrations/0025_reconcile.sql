-- What reconciliation finds has numbers, and may concern no cluster: pools of
-- addresses and quota. When it last looked is kept, and jobs can be given up.

ALTER TABLE ops.finding
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY,
    DROP CONSTRAINT finding_pkey,
    ADD PRIMARY KEY (id),
    ALTER COLUMN cluster DROP NOT NULL,
    ADD CONSTRAINT finding_once UNIQUE NULLS NOT DISTINCT (cluster, subject, kind);

CREATE TABLE ops.look (
    cluster  integer PRIMARY KEY REFERENCES compute.cluster ON DELETE CASCADE,
    at       timestamptz NOT NULL,                   -- when it began
    servers  integer NOT NULL,
    networks integer NOT NULL,
    findings integer NOT NULL
);

ALTER TABLE ops.outbox ADD COLUMN cancel_wanted timestamptz;
CREATE INDEX outbox_cancel ON ops.outbox (cluster)
    WHERE cancel_wanted IS NOT NULL AND finished IS NULL;
