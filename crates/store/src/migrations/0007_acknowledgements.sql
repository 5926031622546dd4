-- What people have said about an obligation of a running day: rows are added, never changed.
CREATE TABLE acknowledgements (
    -- From 1, in the order in which they were made.
    number          INTEGER PRIMARY KEY,
    date            TEXT NOT NULL,
    market_maker    TEXT NOT NULL,
    issue           TEXT NOT NULL,
    obligation      TEXT NOT NULL,
    remark          TEXT NOT NULL,
    -- Who: the role and party of the token, and whom it was given to.
    role            TEXT NOT NULL,
    party           TEXT NOT NULL,
    name            TEXT NOT NULL,
    -- When, in microseconds since 1970-01-01T00:00Z.
    acknowledged_us INTEGER NOT NULL
) STRICT;

CREATE INDEX acknowledgements_by_date ON acknowledgements (date, number);

CREATE TRIGGER acknowledgements_are_not_changed BEFORE UPDATE ON acknowledgements
BEGIN SELECT RAISE(ABORT, 'acknowledgements are added, never changed'); END;
CREATE TRIGGER acknowledgements_are_not_removed BEFORE DELETE ON acknowledgements
BEGIN SELECT RAISE(ABORT, 'acknowledgements are added, never removed'); END;
