-- Letters to be sent, written in the transaction that they tell of.

CREATE TABLE ops.mail (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- names the event: a letter of one event goes to one address once
    event       text NOT NULL,
    recipient   text NOT NULL CHECK (recipient LIKE '_%@_%' AND length(recipient) <= 254),
    -- which template tells it
    kind        text NOT NULL,
    -- sealed JSON: what the template says; it may hold links that work once.
    -- NULL once it was sent or given up
    words       bytea,
    state       text NOT NULL DEFAULT 'new'
                CHECK (state IN ('new', 'sending', 'sent', 'failed')),
    attempts    integer NOT NULL DEFAULT 0,
    due         timestamptz NOT NULL DEFAULT now(),
    last_error  text,
    request_id  text,
    created     timestamptz NOT NULL DEFAULT now(),
    finished    timestamptz,
    UNIQUE (event, recipient),
    CHECK (finished IS NULL = (state NOT IN ('sent', 'failed'))),
    CHECK (words IS NULL = (state IN ('sent', 'failed')))
);

CREATE INDEX mail_due ON ops.mail (due, id) WHERE finished IS NULL;
CREATE INDEX mail_finished ON ops.mail (finished) WHERE finished IS NOT NULL;
