-- Where a task is in the timetables of its verifications: up to verify_from all was seen to, at verify_at it is looked at again.
ALTER TABLE tasks ADD COLUMN verify_from BIGINT;
ALTER TABLE tasks ADD COLUMN verify_at BIGINT;
CREATE INDEX tasks_verify_due ON tasks (verify_at, id) WHERE enabled = 1 AND verify_at IS NOT NULL;
-- What the last drill of a record came to: one JSON object.
ALTER TABLE records ADD COLUMN drill TEXT;
-- The last runs of a task in figures: one JSON list, newest first. Records may be gone by then.
ALTER TABLE tasks ADD COLUMN history TEXT;
