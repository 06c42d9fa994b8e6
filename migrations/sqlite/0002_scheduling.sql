-- next_run_at is when a run is made, next_instant the instant of the timetable that it stands for. Both are there or neither.
ALTER TABLE tasks ADD COLUMN next_instant INTEGER;
UPDATE tasks SET next_instant = next_run_at;

-- A rest of the schedule that ends by itself.
ALTER TABLE tasks ADD COLUMN paused_until INTEGER;
ALTER TABLE tasks ADD COLUMN pause_reason TEXT;
