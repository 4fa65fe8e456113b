-- Tags of servers. PENDADD and PENDDEL: the cluster was asked, by `intent`.

CREATE TABLE compute.server_tag (
    server bigint NOT NULL REFERENCES compute.server ON DELETE CASCADE,
    name varchar(60) NOT NULL,
    state text NOT NULL CHECK (state IN ('PENDADD', 'ACTIVE', 'PENDDEL')),
    intent uuid NOT NULL,
    PRIMARY KEY (server, name)
);

-- A server's representation shows them.
CREATE CONSTRAINT TRIGGER stamp_server AFTER INSERT OR UPDATE OR DELETE
    ON compute.server_tag DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION compute.stamp_server();
