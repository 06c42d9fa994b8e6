-- next_run_at is when a run is made, next_instant the instant of the timetable that it stands for. Both are there or neither.
ALTER TABLE tasks ADD COLUMN next_instant BIGINT;
UPDATE tasks SET next_instant = next_run_at;

-- A rest of the schedule that ends by itself.
ALTER TABLE tasks ADD COLUMN paused_until BIGINT;
ALTER TABLE tasks ADD COLUMN pause_reason TEXT;

-- Which tasks a task waits for. last_event is the last success that counted, fresh whether it came since the task ran for them last.
CREATE TABLE task_upstreams (
  task_id BIGINT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  upstream_id BIGINT NOT NULL REFERENCES tasks (id),
  last_event BIGINT NOT NULL,
  fresh BIGINT NOT NULL,
  PRIMARY KEY (task_id, upstream_id)
);
CREATE INDEX task_upstreams_by_upstream ON task_upstreams (upstream_id, task_id);

-- A task with a pool names no node.
ALTER TABLE tasks ALTER COLUMN node_id DROP NOT NULL;

-- A run of a pool has no node (-1) until one takes it.
CREATE INDEX records_in_pools ON records (node_id, id) WHERE state = 'queued';
CREATE INDEX records_load ON records (node_id) WHERE finished_at IS NULL;
