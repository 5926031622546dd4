-- What a stored day rests on. Columns that earlier versions did not write are null there.

-- Whether the issue was a leveraged or inverse ETF on that date (0 or 1): what the month is judged by.
ALTER TABLE results ADD COLUMN leveraged_inverse INTEGER CHECK (leveraged_inverse IN (0, 1));

-- The options that the day was measured with, as the command has them: '--allow-gaps --lenient'.
ALTER TABLE days ADD COLUMN options TEXT;
-- The canonical text of the plan that plan_sha256 is of, compressed with zstd: what a changed registry is compared with.
ALTER TABLE days ADD COLUMN plan BLOB;
-- Of the day's rows in the other tables, and of this row.
ALTER TABLE days ADD COLUMN interpretations_sha256 BLOB;
ALTER TABLE days ADD COLUMN results_sha256 BLOB;
ALTER TABLE days ADD COLUMN breaches_sha256 BLOB;
ALTER TABLE days ADD COLUMN turnovers_sha256 BLOB;
ALTER TABLE days ADD COLUMN market_turnovers_sha256 BLOB;
ALTER TABLE days ADD COLUMN day_sha256 BLOB;

-- Every measurement that was ever stored, the newest last: rows are added, never changed.
CREATE TABLE measurements (
    number              INTEGER PRIMARY KEY,
    date                TEXT NOT NULL,
    -- When it was measured, by the clock of the machine.
    measured_at_us      INTEGER NOT NULL,
    program_version     TEXT NOT NULL,
    program_commit      TEXT NOT NULL,
    options             TEXT NOT NULL,
    input               TEXT NOT NULL,
    input_sha256        BLOB NOT NULL,
    registry_sha256     BLOB NOT NULL,
    plan_sha256         BLOB NOT NULL,
    -- Sums over all results: of what was stored before, null for a date that was not, and of this measurement.
    available_us_before INTEGER,
    fulfilled_us_before INTEGER,
    unknown_us_before   INTEGER,
    available_us        INTEGER NOT NULL,
    fulfilled_us        INTEGER NOT NULL,
    unknown_us          INTEGER NOT NULL,
    -- How many results differ from what was stored before, and of how many the day's status does.
    results_differing   INTEGER NOT NULL,
    statuses_differing  INTEGER NOT NULL
) STRICT;

CREATE TRIGGER measurements_are_not_changed BEFORE UPDATE ON measurements
BEGIN SELECT RAISE(ABORT, 'measurements are added, never changed'); END;
CREATE TRIGGER measurements_are_not_removed BEFORE DELETE ON measurements
BEGIN SELECT RAISE(ABORT, 'measurements are added, never removed'); END;
