-- A value sealed at the first start: who cannot open it has another key file.

CREATE TABLE ops.key_check (
    id     smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    sealed bytea NOT NULL
);
