-- Letters to be sent, written in the transaction that they tell of; and reading
-- the audit trail by who did what.

CREATE TABLE ops.mail (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- names the event: a letter of one event goes to one address once
    event       text NOT NULL,
    recipient   text NOT NULL CHECK (recipient LIKE '_%@_%' AND length(recipient) <= 254),
    -- which template tells it, and in which language
    kind        text NOT NULL,
    language    text NOT NULL DEFAULT 'en',
    -- sealed JSON: what the template says; it may hold links that work once.
    -- NULL once it was sent or given up
    words       bytea,
    state       text NOT NULL DEFAULT 'new'
                CHECK (state IN ('new', 'sending', 'sent', 'failed')),
    -- how often it was taken up; who sends it must know the number
    attempts    integer NOT NULL DEFAULT 0,
    -- when it may be taken up; while it is being sent: again, if nobody says more
    due         timestamptz NOT NULL DEFAULT 'epoch',
    -- when a server put it off, first, and how often
    refused     timestamptz,
    tries       integer NOT NULL DEFAULT 0,
    -- when its end was about to go out, last: from then on it may have been taken
    handed      timestamptz,
    -- how often it was sent anew though it may have been taken before
    repeats     integer NOT NULL DEFAULT 0,
    last_error  text,
    request_id  text,
    created     timestamptz NOT NULL DEFAULT now(),
    finished    timestamptz,
    UNIQUE (event, recipient),
    CHECK (finished IS NULL = (state NOT IN ('sent', 'failed'))),
    CHECK (words IS NULL = (state IN ('sent', 'failed')))
);

CREATE INDEX mail_due ON ops.mail (due, id) WHERE finished IS NULL;
CREATE INDEX mail_waiting ON ops.mail (created) WHERE finished IS NULL;
CREATE INDEX mail_finished ON ops.mail (finished) WHERE finished IS NOT NULL;
CREATE INDEX mail_state ON ops.mail (state, id);

CREATE INDEX audit_actor ON ops.audit (actor, id);
CREATE INDEX audit_actor_name ON ops.audit (actor_name, id);
CREATE INDEX audit_action ON ops.audit (action text_pattern_ops, id);
