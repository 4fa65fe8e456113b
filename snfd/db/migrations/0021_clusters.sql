-- Many clusters: whom they serve, how much of the load they take, what was asked
-- of whoever works on one, and servers that are taken over from elsewhere.

ALTER TABLE compute.cluster
    ADD COLUMN weight real NOT NULL DEFAULT 1 CHECK (weight > 0 AND weight <= 1000),
    ADD COLUMN removing boolean NOT NULL DEFAULT false, -- gone once its networks are
    ADD COLUMN version text,                            -- Ganeti's, as last read
    ADD COLUMN refresh_wanted timestamptz;              -- read the statistics anew

-- Clusters that only serve some projects; a project without any uses public ones.
CREATE TABLE compute.project_cluster (
    project uuid NOT NULL REFERENCES identity.project (uuid) ON DELETE CASCADE,
    cluster integer NOT NULL REFERENCES compute.cluster ON DELETE CASCADE,
    PRIMARY KEY (project, cluster)
);
CREATE INDEX project_cluster_cluster ON compute.project_cluster (cluster);

-- Where all new servers of a person go, whatever their project says.
CREATE TABLE compute.user_cluster (
    person uuid PRIMARY KEY REFERENCES identity.app_user (uuid) ON DELETE CASCADE,
    cluster integer NOT NULL REFERENCES compute.cluster ON DELETE CASCADE
);
CREATE INDEX user_cluster_cluster ON compute.user_cluster (cluster);

-- A server outlives its cluster only as a deleted one, which is kept for its owner.
ALTER TABLE compute.server ALTER COLUMN cluster DROP NOT NULL;
ALTER TABLE compute.server
    ADD CONSTRAINT server_has_cluster CHECK (cluster IS NOT NULL OR state = 'DESTROYED');

-- Instances to be taken over. Only who has a cluster's lease talks to it, so that
-- is who does the work; the answer is a list of what came of each instance.
CREATE TABLE compute.adoption (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster integer NOT NULL REFERENCES compute.cluster ON DELETE CASCADE,
    wanted jsonb NOT NULL,
    asked timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished timestamptz,
    error text,
    results jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX adoption_open ON compute.adoption (cluster, id) WHERE finished IS NULL;
