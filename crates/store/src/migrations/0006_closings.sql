-- Months whose report has gone out, each with its revisions: rows are added, never changed.
CREATE TABLE closings (
    month         TEXT NOT NULL,
    -- From 1.
    revision      INTEGER NOT NULL,
    -- The date on which it went out, in the scheme's zone.
    closed_on     TEXT NOT NULL,
    -- Of the report's files.
    report_sha256 BLOB NOT NULL,
    PRIMARY KEY (month, revision)
) STRICT, WITHOUT ROWID;

-- The tables of the report and of its documents as they went out, by path: what a later revision is compared with.
CREATE TABLE closed_papers (
    month    TEXT NOT NULL,
    revision INTEGER NOT NULL,
    path     TEXT NOT NULL,
    csv      TEXT NOT NULL,
    PRIMARY KEY (month, revision, path),
    FOREIGN KEY (month, revision) REFERENCES closings (month, revision)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER closings_are_not_changed BEFORE UPDATE ON closings
BEGIN SELECT RAISE(ABORT, 'closings are added, never changed'); END;
CREATE TRIGGER closings_are_not_removed BEFORE DELETE ON closings
BEGIN SELECT RAISE(ABORT, 'closings are added, never removed'); END;
CREATE TRIGGER closed_papers_are_not_changed BEFORE UPDATE ON closed_papers
BEGIN SELECT RAISE(ABORT, 'closed papers are added, never changed'); END;
CREATE TRIGGER closed_papers_are_not_removed BEFORE DELETE ON closed_papers
BEGIN SELECT RAISE(ABORT, 'closed papers are added, never removed'); END;
