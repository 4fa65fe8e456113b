-- Key pairs that a program made with a token of one project are that project's.

ALTER TABLE compute.keypair
    -- NULL: the person's own, in whatever project
    ADD COLUMN project uuid REFERENCES identity.project (uuid) ON DELETE SET NULL;
CREATE INDEX keypair_project ON compute.keypair (project) WHERE project IS NOT NULL;
