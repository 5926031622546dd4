-- Days as they were measured. Numbers are exact integers with their unit in the column's name:
--   _us      microseconds
--   _e4      ten-thousandths of a currency unit; an integer, or decimal digits as text where 64 bits do not hold it
--   _shares  shares; likewise
--   _pct_e4  ten-thousandths of a percent: 800000 is 80 %
-- Instants are microseconds since 1970-01-01T00:00:00Z, dates are those of the scheme's time zone.

CREATE TABLE days (
    date            TEXT NOT NULL PRIMARY KEY,
    input           TEXT NOT NULL,
    input_sha256    BLOB NOT NULL CHECK (length(input_sha256) = 32),
    registry_sha256 BLOB NOT NULL CHECK (length(registry_sha256) = 32),
    -- Of everything in scheme and registry that can alter this day's figures.
    plan_sha256     BLOB NOT NULL CHECK (length(plan_sha256) = 32),
    scheme          TEXT NOT NULL,
    scheme_version  TEXT NOT NULL,
    multiplier      INTEGER NOT NULL,
    record_count    INTEGER NOT NULL,
    reject_count    INTEGER NOT NULL,
    program_version TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE interpretations (
    date  TEXT NOT NULL REFERENCES days ON DELETE CASCADE,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (date, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE results (
    date            TEXT NOT NULL REFERENCES days ON DELETE CASCADE,
    market_maker    TEXT NOT NULL,
    issue           TEXT NOT NULL,
    obligation      TEXT NOT NULL,
    required_pct_e4 INTEGER NOT NULL,
    multiplier      INTEGER NOT NULL,
    available_us    INTEGER NOT NULL CHECK (0 <= available_us),
    fulfilled_us    INTEGER NOT NULL CHECK (fulfilled_us BETWEEN 0 AND available_us),
    unknown_us      INTEGER NOT NULL CHECK (0 <= unknown_us),
    PRIMARY KEY (date, market_maker, issue, obligation)
) STRICT, WITHOUT ROWID;

CREATE TABLE breaches (
    date         TEXT NOT NULL REFERENCES days ON DELETE CASCADE,
    market_maker TEXT NOT NULL,
    issue        TEXT NOT NULL,
    obligation   TEXT NOT NULL,
    start_us     INTEGER NOT NULL,
    end_us       INTEGER NOT NULL CHECK (start_us < end_us),
    reason       TEXT NOT NULL,
    PRIMARY KEY (date, market_maker, issue, obligation, start_us)
) STRICT, WITHOUT ROWID;

-- Executions of a sign-up's orders by counterparty: another market maker signed up for the issue, anybody else, unnamed.
CREATE TABLE turnovers (
    date                           TEXT NOT NULL REFERENCES days ON DELETE CASCADE,
    market_maker                   TEXT NOT NULL,
    issue                          TEXT NOT NULL,
    order_count                    INTEGER NOT NULL,
    continuous_market_maker_value_e4 ANY NOT NULL,
    continuous_market_maker_shares   ANY NOT NULL,
    continuous_other_value_e4        ANY NOT NULL,
    continuous_other_shares          ANY NOT NULL,
    continuous_unnamed_value_e4      ANY NOT NULL,
    continuous_unnamed_shares        ANY NOT NULL,
    auction_market_maker_value_e4    ANY NOT NULL,
    auction_market_maker_shares      ANY NOT NULL,
    auction_other_value_e4           ANY NOT NULL,
    auction_other_shares             ANY NOT NULL,
    auction_unnamed_value_e4         ANY NOT NULL,
    auction_unnamed_shares           ANY NOT NULL,
    PRIMARY KEY (date, market_maker, issue)
) STRICT, WITHOUT ROWID;

-- All trades of an issue. On a day that is stored, an issue without a row had none.
CREATE TABLE market_turnovers (
    date                TEXT NOT NULL REFERENCES days ON DELETE CASCADE,
    issue               TEXT NOT NULL,
    continuous_value_e4 ANY NOT NULL,
    continuous_shares   ANY NOT NULL,
    auction_value_e4    ANY NOT NULL,
    auction_shares      ANY NOT NULL,
    PRIMARY KEY (date, issue)
) STRICT, WITHOUT ROWID;
