-- How clusters tell what a build does, and from where they may fetch hand-offs.

ALTER TABLE compute.cluster
    ADD COLUMN report_secret bytea,                  -- sealed; NULL: none made yet
    ADD COLUMN handoff_from cidr[] NOT NULL DEFAULT '{}';  -- of nodes; {}: anywhere
