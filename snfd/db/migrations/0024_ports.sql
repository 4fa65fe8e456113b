-- Who had a public address, and when.

-- An address of a public network came to a server, or left it. Rows outlive all
-- that they name; `owner` and `project` are those of the server at that time.
CREATE TABLE compute.ip_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL CHECK (action IN ('associate', 'disassociate')),
    addr inet NOT NULL,
    network bigint NOT NULL,
    server bigint NOT NULL,
    port bigint NOT NULL,
    owner uuid NOT NULL,
    project uuid NOT NULL,
    floating boolean NOT NULL,
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX ip_event_addr ON compute.ip_event (addr, id);
CREATE INDEX ip_event_server ON compute.ip_event (server, id);
CREATE INDEX ip_event_owner ON compute.ip_event (owner, id);

-- Written by triggers, so that whoever moves an address cannot forget it. Why is
-- what the transaction says in `snfd.reason`.
CREATE FUNCTION compute.note_ip(what text, ip compute.ip, which bigint)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO compute.ip_event
        (action, addr, network, server, port, owner, project, floating, reason)
    SELECT what, ip.addr, ip.network, s.id, ip.port, s.owner, s.project, ip.floating,
           coalesce(current_setting('snfd.reason', true), '')
    FROM compute.server s JOIN compute.network n ON n.id = ip.network AND n.public
    WHERE s.id = which
$$;

CREATE FUNCTION compute.note_ip_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    since bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND NOT OLD.deleted THEN
        SELECT server INTO before FROM compute.port WHERE id = OLD.port;
    END IF;
    IF NOT NEW.deleted THEN
        SELECT server INTO since FROM compute.port WHERE id = NEW.port;
    END IF;
    IF before IS DISTINCT FROM since THEN
        IF before IS NOT NULL THEN
            PERFORM compute.note_ip('disassociate', OLD, before);
        END IF;
        PERFORM compute.note_ip('associate', NEW, since);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note_ip_moved AFTER INSERT OR UPDATE OF port, deleted ON compute.ip
    FOR EACH ROW EXECUTE FUNCTION compute.note_ip_moved();

CREATE FUNCTION compute.note_port_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM compute.note_ip('disassociate', i, OLD.server) FROM compute.ip i
    WHERE i.port = NEW.id AND NOT i.deleted;
    PERFORM compute.note_ip('associate', i, NEW.server) FROM compute.ip i
    WHERE i.port = NEW.id AND NOT i.deleted;
    RETURN NULL;
END $$;
CREATE TRIGGER note_port_moved AFTER UPDATE OF server ON compute.port
    FOR EACH ROW WHEN (OLD.server IS DISTINCT FROM NEW.server)
    EXECUTE FUNCTION compute.note_port_moved();

CREATE FUNCTION compute.note_owner_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO compute.ip_event
        (action, addr, network, server, port, owner, project, floating, reason)
    SELECT v.what, i.addr, i.network, NEW.id, p.id, v.owner, v.project, i.floating,
           coalesce(current_setting('snfd.reason', true), '')
    FROM (VALUES (1, 'disassociate', OLD.owner, OLD.project),
                 (2, 'associate', NEW.owner, NEW.project)) AS v (n, what, owner, project)
    CROSS JOIN compute.port p
    JOIN compute.ip i ON i.port = p.id AND NOT i.deleted
    JOIN compute.network w ON w.id = i.network AND w.public
    WHERE p.server = NEW.id ORDER BY v.n, i.id;
    RETURN NULL;
END $$;
CREATE TRIGGER note_owner_changed AFTER UPDATE OF owner, project ON compute.server
    FOR EACH ROW
    WHEN ((OLD.owner, OLD.project) IS DISTINCT FROM (NEW.owner, NEW.project))
    EXECUTE FUNCTION compute.note_owner_changed();

INSERT INTO compute.ip_event
    (at, action, addr, network, server, port, owner, project, floating, reason)
SELECT i.updated, 'associate', i.addr, i.network, s.id, p.id, s.owner, s.project,
       i.floating, 'there when records began'
FROM compute.ip i
JOIN compute.port p ON p.id = i.port
JOIN compute.server s ON s.id = p.server
JOIN compute.network n ON n.id = i.network AND n.public
WHERE NOT i.deleted ORDER BY i.updated, i.id;
