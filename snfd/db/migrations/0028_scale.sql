-- Placement takes off what began since a cluster's figures were read: few servers
-- of many, found without looking at the rest.

CREATE INDEX server_uncounted ON compute.server (cluster,
    (CASE WHEN state = 'BUILD' THEN timestamptz 'infinity'
          ELSE greatest(created, launched) END))
    WHERE NOT deleted;
