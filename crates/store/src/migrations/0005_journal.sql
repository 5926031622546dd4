-- Of a day that was measured as it came: the name of its journal, and the SHA-256 of that file. Null in others.
ALTER TABLE days ADD COLUMN journal TEXT;
ALTER TABLE days ADD COLUMN journal_sha256 BLOB;
