-- The secrets of a task's source, sealed: one JSON object of strings.
ALTER TABLE tasks ADD COLUMN secrets TEXT;
