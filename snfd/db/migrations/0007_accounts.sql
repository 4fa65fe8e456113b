-- The lives of accounts: terms of service and who signed them, keys that
-- letters carry, accounts that were closed.

-- Terms of service; the newest are in force. API tokens of those who did not
-- sign them are refused from enforced_at on.
CREATE TABLE identity.terms (
    id           bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    issued_at    timestamptz NOT NULL,
    enforced_at  timestamptz NOT NULL CHECK (enforced_at >= issued_at),
    format       text NOT NULL CHECK (format IN ('text', 'markdown', 'html')),
    body         text NOT NULL CHECK (length(body) BETWEEN 1 AND 262144)
);

ALTER TABLE identity.app_user
    -- the newest that he signed
    ADD COLUMN terms_id   bigint REFERENCES identity.terms,
    -- the person was forgotten; only the uuid is left
    ADD COLUMN closed_at  timestamptz,
    ADD CHECK (closed_at IS NULL OR NOT (is_active OR email_verified));

CREATE TABLE identity.signed_terms (
    user_id    uuid NOT NULL REFERENCES identity.app_user ON DELETE CASCADE,
    terms_id   bigint NOT NULL REFERENCES identity.terms,
    signed_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, terms_id)
);
CREATE INDEX signed_terms_terms ON identity.signed_terms (terms_id);

-- What a letter's link proves: that its reader reads that address. One of each
-- purpose for a person; a new one replaces it. It works once.
CREATE TABLE identity.letter_key (
    user_id     uuid NOT NULL REFERENCES identity.app_user ON DELETE CASCADE,
    purpose     text NOT NULL CHECK (purpose IN ('verify', 'reset', 'email')),
    -- sha256 of what the link carries
    hash        bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    email       text NOT NULL CHECK (length(email) <= 254),
    sent_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, purpose)
);
CREATE INDEX letter_key_expiry ON identity.letter_key (expires_at);

-- Lists of accounts, by what they wait for; namesakes that are not verified
CREATE INDEX app_user_pending ON identity.app_user (number)
    WHERE email_verified AND moderation = 'pending';
CREATE INDEX app_user_unverified ON identity.app_user (email)
    WHERE NOT email_verified AND closed_at IS NULL;

-- Sessions and tokens of a person by kind, newest first
CREATE INDEX api_token_kind ON identity.api_token (user_id, kind, created_at);
DROP INDEX identity.api_token_user;

-- Groups that give rights, see snfd.admin.rights; nobody is in them yet
INSERT INTO identity.user_group (name)
VALUES ('admin-api'), ('helpdesk'), ('admin-readonly'), ('admin-stats')
    ON CONFLICT DO NOTHING;
