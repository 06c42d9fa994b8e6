-- How far the check of what a target holds is, as JSON.
ALTER TABLE targets ADD COLUMN inventory TEXT;
-- When a copy was found lost, while it is.
ALTER TABLE record_copies ADD COLUMN lost_at BIGINT;
