-- Which services this daemon itself has, and the order of a commission's parts.

ALTER TABLE identity.service ADD COLUMN builtin boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN identity.service.builtin IS
    'registered at start from the daemon''s own definitions; not for importing over';
ALTER TABLE identity.component ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();

-- as it was asked for: what is told again, and what is refused first, follow it
ALTER TABLE quota.provision ADD COLUMN position integer NOT NULL DEFAULT 0;
