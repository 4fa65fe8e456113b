-- Networks of every kind: IPv6, pools of bridges, addresses that are reserved,
-- networks that are at every cluster, and those that servers get unasked.

ALTER TABLE compute.network
    ADD COLUMN everywhere boolean NOT NULL DEFAULT false; -- at each cluster, unasked

ALTER TABLE compute.subnet
    ADD COLUMN slaac boolean NOT NULL DEFAULT false,      -- IPv6 from the MAC address
    -- Seconds that an address rests after it was given back.
    ADD COLUMN quarantine integer NOT NULL DEFAULT 0 CHECK (quarantine >= 0);

-- Why an address is given to nobody: an administrator said so, or a cluster has
-- it for itself. `ip_slot.reserved` is true where there is a row.
CREATE TABLE compute.reserved_ip (
    subnet bigint NOT NULL REFERENCES compute.subnet ON DELETE CASCADE,
    addr inet NOT NULL,
    cluster integer REFERENCES compute.cluster ON DELETE CASCADE,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE NULLS NOT DISTINCT (subnet, addr, cluster)
);
CREATE INDEX reserved_ip_cluster ON compute.reserved_ip (cluster);

-- An address stays reserved as long as anybody has a reason, whichever goes.
CREATE FUNCTION compute.mark_reserved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    one compute.reserved_ip := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    UPDATE compute.ip_slot s
    SET reserved = EXISTS (SELECT FROM compute.reserved_ip r
                           WHERE r.subnet = s.subnet AND r.addr = s.addr)
    WHERE s.subnet = one.subnet AND s.addr = one.addr;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_reserved AFTER INSERT OR DELETE ON compute.reserved_ip
    FOR EACH ROW EXECUTE FUNCTION compute.mark_reserved();

-- What servers get besides, or instead of, what their users ask for. Each row is
-- one card; of its choices (ids of networks, or SNF:ANY_PUBLIC, …_IPV4, …_IPV6)
-- the first that has room is taken. Without a default row, a server whose user
-- asks for nothing gets a card on a public network, where there is one.
CREATE TABLE compute.standard_network (
    forced boolean NOT NULL,
    position smallint NOT NULL,
    choices text[] NOT NULL CHECK (cardinality(choices) > 0),
    PRIMARY KEY (forced, position)
);

-- ---------------------------------------------------------------------- IPv6
-- The address that a guest gives itself (SLAAC): the /64 and the modified EUI-64
-- of its MAC address. It is known once the card is on the instance.

CREATE FUNCTION compute.slaac_address(net cidr, mac macaddr) RETURNS inet
LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT set_masklen(net::inet | ('::'
        || lpad(to_hex(('x' || substr(m, 1, 2))::bit(8)::int # 2), 2, '0')
        || substr(m, 3, 2) || ':' || substr(m, 5, 2) || 'ff:fe' || substr(m, 7, 2)
        || ':' || substr(m, 9, 4))::inet, 128)
    FROM (SELECT replace(mac::text, ':', '') AS m) AS hex
$$;

CREATE FUNCTION compute.give_slaac_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE compute.ip SET deleted = true, port = NULL
    WHERE port = NEW.id AND family(addr) = 6 AND NOT deleted;
    INSERT INTO compute.ip (subnet, network, addr, port, owner, project, shared)
    SELECT u.id, u.network, compute.slaac_address(u.cidr, NEW.mac), NEW.id,
           NEW.owner, NEW.project, NEW.shared
    FROM compute.subnet u
    WHERE u.network = NEW.network AND u.slaac AND NOT u.deleted
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER give_slaac_address AFTER UPDATE OF state, mac ON compute.port
    FOR EACH ROW WHEN (NEW.state = 'ACTIVE' AND NEW.mac IS NOT NULL
        AND (OLD.state, OLD.mac) IS DISTINCT FROM (NEW.state, NEW.mac))
    EXECUTE FUNCTION compute.give_slaac_address();
