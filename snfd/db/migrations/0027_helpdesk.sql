-- What the helpdesk finds people by: an address, or what a name begins with.

CREATE INDEX ip_addr ON compute.ip (addr) WHERE NOT deleted;
CREATE INDEX server_name ON compute.server (lower(name) text_pattern_ops);
CREATE INDEX network_name ON compute.network (lower(name) text_pattern_ops);
CREATE INDEX port_name ON compute.port (lower(name) text_pattern_ops)
    WHERE name <> '';
