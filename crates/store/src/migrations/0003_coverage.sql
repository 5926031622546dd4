-- What the day's input does not support of its figures, as a JSON list of objects in order of `finding` and `name`; an
-- empty list where it supports them all. Null in days that an earlier version measured.
ALTER TABLE days ADD COLUMN coverage TEXT;
-- Up to when the day was measured, if not to its end.
ALTER TABLE days ADD COLUMN until_us INTEGER;
